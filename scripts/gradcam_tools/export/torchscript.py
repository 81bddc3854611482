"""A network as a TorchScript file with its description inside."""

from __future__ import annotations

import contextlib
import io
import json
import os
from pathlib import Path
from typing import Any, Callable, Dict, Iterator

import torch
from torch import Tensor

from gradcam_tools.networks.network import MODEL, OUTPUT, USAGE, Network, NetworkError, first_line
from gradcam_tools.quiet import quiet


def export(network: Network, sample: Tensor, script: bool) -> torch.jit.ScriptModule:
    """Traces (or scripts) the network so that the result can be differentiated."""
    try:
        with quiet(), torch.enable_grad(), without_fast_path():
            if script:
                return torch.jit.script(network.module)
            return torch.jit.trace(network.module, sample, check_trace=False)
    except (RuntimeError, torch.jit.frontend.NotSupportedError, TypeError) as error:
        how = "scripted" if script else "traced"
        raise NetworkError(
            USAGE if script else MODEL, f"{network.name} cannot be {how}: {first_line(error)}"
        ) from None


@contextlib.contextmanager
def without_fast_path() -> Iterator[None]:
    """Without the fused attention that replaces transformer blocks in eval mode: it has no derivative,
    and no exporter knows it."""
    fast_path = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast_path)


def serialised(exported: torch.jit.ScriptModule) -> bytes:
    """The bytes of its file, without a description."""
    buffer = io.BytesIO()
    with quiet():
        torch.jit.save(exported, buffer)
    return buffer.getvalue()


def write(
    exported: torch.jit.ScriptModule,
    description: Dict[str, Any],
    path: Path,
    check: Callable[[Path], None] = lambda file: None,
) -> None:
    """`check` is given the file before it takes its place, which it does not if that raises."""
    buffer = io.BytesIO()
    with quiet():
        extra = {"gradcam.json": json.dumps(description, indent=1)}
        torch.jit.save(exported, buffer, _extra_files=extra)
    with replaced(path) as beside:
        beside.write_bytes(buffer.getbuffer())
        check(beside)


@contextlib.contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """A file beside `path` to write into, of the same kind by its name, which takes the place of
    `path` at the end, so that nobody ever reads half a model."""
    beside = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield beside
        os.replace(beside, path)
    except OSError as error:
        raise NetworkError(OUTPUT, f"--output '{path}': {error.strerror}") from None
    finally:
        beside.unlink(missing_ok=True)
