"""Silence where a library says what no user can act on."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from typing import Iterator

import torch


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without two warnings of every export: torch.jit announces its end (LibTorch still loads what
    it writes), and the tracer warns of values taken from shapes (the description fixes the shape,
    and `verify` compares the values)."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"`torch\.jit\.\w+` is deprecated")
        warnings.simplefilter("ignore", torch.jit.TracerWarning)
        yield


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Without logs, warnings and prints. torch.export prints the whole graph where it fails, NNCF
    its progress: the errors' own lines serve."""
    logging.disable(logging.CRITICAL)
    nowhere = io.StringIO()
    try:
        with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
    finally:
        logging.disable(logging.NOTSET)
