"""Checkpoints: the tensors of a file, and a module that takes them."""

from __future__ import annotations

import pickle
import re
import zipfile
from pathlib import Path
from typing import Dict

import torch
from torch import Tensor, nn

from gradcam_tools.networks.network import MODEL, NetworkError


def read_state_dict(path: Path) -> Dict[str, Tensor]:
    """The tensors of a checkpoint: a bare state_dict, or one under the usual keys."""
    if not path.is_file():
        raise NetworkError(MODEL, f"weights '{path}': no such file")
    if _is_torchscript(path):
        raise NetworkError(
            MODEL, f"weights '{path}': already TorchScript, which gradcam-live takes as it is"
        )
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise NetworkError(
            MODEL,
            f"weights '{path}': not a checkpoint of tensors (a whole pickled module is not taken, "
            "since loading it could run any code: save its state_dict())",
        ) from None
    except Exception as error:  # what torch.load throws on a foreign file depends on its bytes
        raise NetworkError(
            MODEL, f"weights '{path}': not a PyTorch checkpoint ({type(error).__name__}: {error})"
        ) from None
    for key in ("state_dict", "model_state_dict", "model", "net"):
        if isinstance(loaded, dict) and isinstance(loaded.get(key), dict):
            loaded = loaded[key]
    if not isinstance(loaded, dict) or not loaded:
        raise NetworkError(MODEL, f"weights '{path}': holds no state_dict")
    if not all(isinstance(value, Tensor) for value in loaded.values()):
        raise NetworkError(MODEL, f"weights '{path}': holds values that are not tensors")
    return {re.sub(r"^module\.", "", key): value for key, value in loaded.items()}


def _is_torchscript(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def load(module: nn.Module, name: str, path: Path, state: Dict[str, Tensor]) -> None:
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        wrong = str(error).splitlines()[1:2] or [str(error)]
        raise NetworkError(MODEL, f"weights '{path}' do not fit {name}: {wrong[0][:160]}") from None
