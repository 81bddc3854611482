"""Hides what libraries print and no user can act on."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from typing import Iterator

import torch


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Hides two warnings that every export gives: that torch.jit is deprecated (LibTorch still loads
    what it writes), and that a trace fixes values taken from shapes (the description fixes the
    shape, and verification.py compares the values); and those of old names in transformers, which a
    trace reads, too."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")
        warnings.filterwarnings("ignore", message=r"`torch\.jit\.\w+` is deprecated")
        warnings.simplefilter("ignore", torch.jit.TracerWarning)
        yield


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Hides logs, warnings and prints: torch.export prints the whole graph when it fails, NNCF its
    progress. The exceptions say enough."""
    logging.disable(logging.CRITICAL)
    nowhere = io.StringIO()
    try:
        with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
    finally:
        logging.disable(logging.NOTSET)
