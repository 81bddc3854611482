"""One network of the table, in a process of its own: makes its files, runs the program on each, and
holds the maps against PyTorch's. Writes what it finds into the network's folder, result.json, after
each step, so that a run that is ended loses one step."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import torch
from torch import Tensor

from gradcam_tools.networks.conventions import IMAGENET_MEAN, IMAGENET_STD
from gradcam_tools.networks.network import Network, NetworkError, first_line
from gradcam_tools.table import plain, reference
from gradcam_tools.table.files import FORMS, Made, make_files
from gradcam_tools.table.pictures import picture, write_picture
from gradcam_tools.table.reference import NoReference
from gradcam_tools.table.rows import Row, rows
from gradcam_tools.table.trial import METHODS, Program, Trial

RESULT = "result.json"
LEAST_SCORE = "0.01"
BARE = ("torchvision", "timm")  # kinds whose files come without a description, as a rule


class Trials:
    """A row, its files and what is found out about them."""

    def __init__(self, row: Row, folder: Path, program: Program, engine: str) -> None:
        self.row, self.folder, self.program, self.engine = row, folder, program, engine
        self.path = folder / RESULT
        self.result: Dict[str, Any] = {"name": row.name, "kind": row.kind, "forms": {}}
        if self.path.exists():
            self.result = json.loads(self.path.read_text())
        self.maps: Dict[str, Any] = {}

    def save(self) -> None:
        beside = self.path.with_suffix(".part")
        beside.write_text(json.dumps(self.result, indent=1))
        beside.replace(self.path)

    def run(self, forms: List[str], times: bool) -> None:
        try:
            made = make_files(self.row, self.folder, forms)
        except NetworkError as error:
            self.result["error"] = str(error)
            self.save()
            return
        self.result.pop("error", None)
        network = made.network
        self.result["described"] = made.described
        if network is not None and row_is_bare_classifier(self.row, made):
            # What the program assumes of a file that says nothing.
            network.mean, network.std, network.scale = IMAGENET_MEAN, IMAGENET_STD, 255.0
        size = network.input_size if network else _size_of(self.folder / FORMS["tflite"])
        self.result["input_size"] = list(size)
        pixels = picture(*size)
        shown = write_picture(pixels, self.folder / "picture.png")
        other = write_picture(picture(*size, seed=2), self.folder / "other.png")
        for form in forms:
            found = self.result["forms"].setdefault(form, {})
            _note(found, "export_s", made.seconds.get(form))
            _note(found, "older", form in made.older or None)
            if form in made.errors:
                found.update(runs=False, why=f"cannot be written: {made.errors[form]}")
                self.save()
                continue
            self._form(form, found, network, pixels, shown, other)
            if times and found.get("runs"):
                self._times(form, found, network, pixels, shown, other)

    def _options(
        self, network: Optional[Network], other: Path, form: str, precision: str
    ) -> List[str]:
        task = network.task if network else "classification"
        options = ["--engine", self.engine, "--precision", precision]
        options += ["--method", METHODS.get(task, "gradcam")]
        if form == "pt" and not self.result["described"] and self.row.kind in BARE:
            # TorchScript alone does not keep the size of its pictures.
            options += ["--input-size", "x".join(map(str, self.result["input_size"]))]
        if task == "detection":
            options += ["--conf", LEAST_SCORE]  # there is nothing on the picture
        if task == "embedding":
            options += ["--reference", str(other)]
        return options

    def _form(
        self,
        form: str,
        found: Dict[str, Any],
        network: Optional[Network],
        pixels: Tensor,
        shown: Path,
        other: Path,
    ) -> None:
        file = self.folder / FORMS[form]
        options = self._options(network, other, form, "fp32")
        trial = self.program.explain(file, shown, options)
        found.update(runs=not trial.why, why=trial.why, engine=trial.engine)
        found.update(layer=trial.line.get("layer"), targets=trial.line.get("targets"))
        found.pop("reference", None)
        found.pop("correlation", None)
        self.save()
        if trial.why or network is None:
            return
        try:
            correlation, how = self._compare(network, pixels, trial, file, form)
            found.update(correlation=round(correlation, 6), reference=how)
        except NoReference as error:
            found["reference"] = f"none: {error}"
        except Exception as error:  # what a network's own code raises
            found["reference"] = f"none: {type(error).__name__}: {first_line(error)}"
        self.maps[form] = trial.heat
        self.save()
        if plain.has_bf16():
            self._bf16(form, found, network, shown, other, trial)
            self.save()

    def _bf16(
        self,
        form: str,
        found: Dict[str, Any],
        network: Network,
        shown: Path,
        other: Path,
        fp32: Trial,
    ) -> None:
        """The same class or box in bf16, against the program's own fp32 map, which was held against
        PyTorch's."""
        options = self._options(network, other, form, "bf16")
        if network.task in ("classification", "segmentation"):
            options += ["--target", f"index:{fp32.line['targets'][0]['class']}"]
        trial = self.program.explain(self.folder / FORMS[form], shown, options)
        found["bf16"] = {"why": trial.why, "engine": trial.engine}
        if trial.why or trial.heat is None or fp32.heat is None:
            return
        r = reference.correlation(trial.heat, fp32.heat)
        same = trial.line["targets"][0]["class"] == fp32.line["targets"][0]["class"]
        found["bf16"].update(correlation=round(r, 6), same_target=same)

    def _compare(
        self, network: Network, pixels: Tensor, trial: Trial, file: Path, form: str
    ) -> Tuple[float, str]:
        sample = network.normalise(pixels)
        layers = trial.line["layer"]
        method = METHODS.get(network.task, "gradcam")
        try:
            output, values, how = reference.layer_values(network, sample, layers, file)
        except NoReference:
            if form == "pt" or "pt" not in self.maps:
                raise
            # Without a value of that name: the map of the .pt, which was compared with hooks.
            assert trial.heat is not None
            return reference.correlation(trial.heat, self.maps["pt"]), "map of the .pt"
        other = None
        if network.task == "embedding":
            with torch.no_grad():
                other = network.module(network.normalise(picture(*network.input_size, seed=2)))
        scalar = reference.scalar_of(network, output, trial.line, other)
        theirs = reference.cam(network, output, values, scalar, method)
        assert trial.heat is not None
        return reference.correlation(trial.heat, theirs), ", ".join(sorted(set(how)))

    def _times(
        self,
        form: str,
        found: Dict[str, Any],
        network: Optional[Network],
        pixels: Tensor,
        shown: Path,
        other: Path,
    ) -> None:
        """In turn: plain, explained, plain, explained."""
        file = self.folder / FORMS[form]
        if network is not None:
            sample = network.normalise(pixels)
            times: Dict[str, List[float]] = {"plain": [], "explained": []}
            source = self.folder / (FORMS["onnx"] if form == "pt" else FORMS[form])
            for _ in range(2):
                times["plain"].append(plain.milliseconds(source, sample))
                options = self._options(network, other, form, "fp32")
                ours = self.program.milliseconds(file, shown, options)
                if ours is None:
                    return
                times["explained"].append(ours)
            found["ms"] = {name: round(min(values), 2) for name, values in times.items()}
            self.save()


def row_is_bare_classifier(row: Row, made: Made) -> bool:
    return row.kind in BARE and not made.described


def _note(found: Dict[str, Any], key: str, value: Any) -> None:
    if value is not None:
        found[key] = value


def _size_of(path: Path) -> List[int]:
    import openvino

    shape = openvino.Core().read_model(path).inputs[0].get_partial_shape()
    return [shape[1].get_length(), shape[2].get_length()]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--program", type=Path, required=True)
    parser.add_argument("--forms", required=True)
    parser.add_argument("--limit", type=float, required=True)
    parser.add_argument("--times", action="store_true")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    (row,) = [row for row in rows() if row.name == options.name]
    options.folder.mkdir(parents=True, exist_ok=True)
    program = Program(options.program, options.folder, options.limit)
    engine = "openvino" if options.quick else "auto"
    Trials(row, options.folder, program, engine).run(options.forms.split(","), options.times)
    return 0


if __name__ == "__main__":
    sys.exit(main())
