"""Comparisons with other tools (the peers): of speed, and of maps."""
