"""Broken network files: seeds that are sound, ways to break them, and what to think of how the reader
took it."""
