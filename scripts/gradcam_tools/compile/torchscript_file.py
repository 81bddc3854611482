"""A TorchScript file as an OpenVINO model whose operations have the names of PyTorch's modules."""

from __future__ import annotations

import contextlib
import re
import zipfile
from pathlib import Path
from typing import Any, Dict, Iterator, List
from unittest import mock

import torch

from gradcam_tools.networks.network import MODEL, NetworkError, first_line
from gradcam_tools.quiet import quiet, silence

STEP = re.compile(r"([^.()]+)\(")  # layer4(Sequential).1(BasicBlock)


def extra_files(path: Path) -> Dict[str, str]:
    """The texts that were saved with the network, such as gradcam.json, by their names. None of a
    file that is no TorchScript: convert() says so."""
    try:
        with zipfile.ZipFile(path) as file:
            names = [name for name in file.namelist() if "/extra/" in name]
            return {
                name.split("/extra/")[1]: file.read(name).decode(errors="replace") for name in names
            }
    except (OSError, zipfile.BadZipFile):
        return {}


def convert(path: Path, channels: int, size: List[int]) -> Any:
    """An openvino.Model for pictures of `size` [H, W]; how many at once is left open."""
    try:
        with quiet():
            module = torch.jit.load(str(path), map_location="cpu").float().eval()
    except Exception as error:  # LibTorch's own errors have no common class
        reason = f"not a TorchScript file: {first_line(error)}"
        raise NetworkError(MODEL, f"'{path}': {reason}") from None
    try:
        with silence(), _named_by_modules(module):
            import openvino

            sample = torch.zeros(1, channels, *size)
            model = openvino.convert_model(module, example_input=sample, verbose=False)
        model.reshape([-1, channels, *size])
    except Exception as error:  # OpenVINO's front end has no common class
        raise NetworkError(MODEL, f"'{path}': OpenVINO cannot: {first_line(error)}") from None
    return model


@contextlib.contextmanager
def _named_by_modules(module: Any) -> Iterator[None]:
    """Lets OpenVINO's front end name operations as it does for modules that it traces itself,
    "__module.layer4.1.relu/aten::relu_/Relu": the program finds layers by these names. A file lacks
    the scopes that they are made of, but knows which module each operation was inlined from."""
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    full = _full_paths(module)
    original = TorchScriptPythonDecoder.mark_node

    def mark_node(self: Any, node: Any) -> Any:
        node = original(self, node)
        if isinstance(self.graph_element, torch.Node):
            steps = STEP.findall(self.graph_element.getModuleHierarchy())
            inlined = ".".join(step for step in steps if step != "SELF")
            if inlined:
                path = full.get(inlined, inlined)
                node.set_friendly_name(f"__module.{path}/{node.get_friendly_name()}")
        return node

    with mock.patch.object(TorchScriptPythonDecoder, "mark_node", mark_node):
        yield


def _full_paths(module: Any) -> Dict[str, str]:
    """The paths of modules by what an operation knows of them, which lacks lists of modules, as
    these are never called: "blocks.0.conv" by "0.conv". Those of two lists are left out."""
    is_called = {name: part._c._has_method("forward") for name, part in module.named_modules()}
    full: Dict[str, List[str]] = {}
    for path in filter(None, is_called):
        steps = path.split(".")
        places = (".".join(steps[: i + 1]) for i in range(len(steps)))
        known = ".".join(step for step, place in zip(steps, places) if is_called[place])
        full.setdefault(known, []).append(path)
    return {known: paths[0] for known, paths in full.items() if len(paths) == 1}
