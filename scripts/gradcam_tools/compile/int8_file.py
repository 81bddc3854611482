"""From a network file and pictures of the user's own to the file in int8, and what it is worth."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

from PIL import Image

from gradcam_tools.compile import frames, network_file, quantize
from gradcam_tools.compile.agreement import Agreement, pairs, summary
from gradcam_tools.compile.network_file import Pictures
from gradcam_tools.compile.program import Program
from gradcam_tools.networks.network import OUTPUT, USAGE, NetworkError
from gradcam_tools.processor import has_bf16, has_vnni

FRAMES = 100  # to calibrate on, and as many others to compare on
FEWEST = 4  # of all sources that calibrate, and of each that is compared on
KEPT_SIDE = 512  # pixels of a picture to compare on, or those of a network that takes more
STAMP = "gradcam_int8"  # in the file's rt_info

Check = Tuple[str, Agreement]  # on which pictures


@dataclasses.dataclass
class Wanted:
    network: Path
    calibrate_on: List[Path]
    check_on: List[Path]
    layer: Optional[str]  # None: the description's, or as the program finds it
    output: Path


def make(wanted: Wanted, folder: Path) -> str:
    """Writes the output; returns what to tell the user. `folder`: an empty one to work in."""
    program = Program(_new(folder / "program"))
    layer = [f"--layer={wanted.layer}"] if wanted.layer else []
    known = program.known(wanted.network, *layer)
    taken = Pictures.of(known.pictures)
    held_out = _new(folder / "held_out")
    calibration = _divided(wanted.calibrate_on, taken, held_out)
    others = [
        (source.name, _kept(source, taken, _new(folder / f"check{i}")))
        for i, source in enumerate(wanted.check_on)
    ]
    model = network_file.read(wanted.network, taken, wanted.layer)
    samples = [taken.sample(pixels, model) for pixels in calibration]
    comparison = Comparison(program, wanted.network, layer, folder / f"{wanted.output.stem}.xml")
    tried = quantize.try_recipes(
        model, samples, known.layers, lambda int8: comparison.agreement(int8, held_out)
    )
    best = quantize.best_of(tried)
    named = ", ".join(source.name for source in wanted.calibrate_on)
    checks = [(f"{named} (held out)", best.agreement)]
    checks += [(name, comparison.agreement(best.model, pictures)) for name, pictures in others]
    stamp = _stamp(best, named, len(samples), checks)
    best.model.set_rt_info(json.dumps(stamp), STAMP)
    _save(best.model, wanted.output)
    said = f"{wanted.output}: {wanted.network.name} in int8, layer {', '.join(known.layers)}"
    return "\n".join([said, *_lines(tried, best, checks)])


class Comparison:
    """The network in fp32 against int8 forms, as gradcam-live runs them."""

    def __init__(self, program: Program, network: Path, layer: List[str], xml: Path) -> None:
        self._program = program
        self._network = network
        self._layer = layer
        self._xml = xml
        self._expected: Dict[Path, Any] = {}

    def agreement(self, int8: Any, pictures: Path) -> Agreement:
        explain = self._program.explain
        if pictures not in self._expected:
            precise = explain(self._network, pictures, "--precision=fp32", *self._layer)
            self._expected[pictures] = precise
        _save(int8, self._xml)
        rest = "bf16" if has_bf16() else "fp32"  # the layers that are not in int8
        form = ("--engine=openvino", f"--precision={rest}")
        found = explain(self._xml, pictures, *form, *self._layer)
        return summary(pairs(self._expected[pictures], found))


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _divided(sources: Sequence[Path], taken: Pictures, held_out: Path) -> List[Any]:
    """Of all frames every second one, u8 RGB HxWx3; the others are kept in the folder."""
    most = max(2 * FRAMES // len(sources), 1)
    pictures = (picture for source in sources for picture in frames.read(source, most))
    calibration = []
    for number, picture in enumerate(pictures):
        if number % 2:
            _keep(picture, taken, held_out / f"{number:05}.png")
        else:
            calibration.append(frames.to_tensor(picture, taken.size, taken.framing))
    _require_enough(sources, len(calibration) + len(list(held_out.iterdir())))
    return calibration


def _kept(source: Path, taken: Pictures, folder: Path) -> Path:
    for number, picture in enumerate(frames.read(source, FRAMES)):
        _keep(picture, taken, folder / f"{number:05}.png")
    _require_enough([source], len(list(folder.iterdir())))
    return folder


def _keep(picture: Image.Image, taken: Pictures, path: Path) -> None:
    """No larger than it takes: their maps are files of that size, too."""
    side = max(KEPT_SIDE, *taken.size)
    picture.thumbnail((side, side))
    picture.save(path, compress_level=1)


def _require_enough(sources: Sequence[Path], count: int) -> None:
    if count < FEWEST:
        named = " ".join(f"'{source}'" for source in sources)
        raise NetworkError(USAGE, f"{named}: has {count} pictures; allowed: {FEWEST} or more")


def _save(model: Any, xml: Path) -> None:
    """Beside its place and then renamed, so that nobody reads half of it."""
    import openvino

    beside = xml.with_name(f".{xml.stem}.{os.getpid()}.part.xml")
    try:
        openvino.save_model(model, beside, compress_to_fp16=False)
        for part in (beside.with_suffix(".bin"), beside):
            os.replace(part, xml.with_suffix(part.suffix))
    except (OSError, RuntimeError) as error:  # OpenVINO's own errors are such
        raise NetworkError(OUTPUT, f"--output '{xml}': {error}") from None
    finally:
        for part in (beside.with_suffix(".bin"), beside):
            part.unlink(missing_ok=True)


def _stamp(
    best: quantize.Int8, source: str, frames_: int, checks: Sequence[Check]
) -> Dict[str, Any]:
    return {
        "recipe": best.recipe,
        "needs_vnni": has_vnni(),
        "agrees": best.agrees(),
        "calibrated": {"source": source, "frames": frames_},
        "agreement": [{"source": name, **vars(found)} for name, found in checks],
    }


def _lines(
    tried: Sequence[quantize.Int8], best: quantize.Int8, checks: Sequence[Check]
) -> List[str]:
    lines = [f"int8, tried {t.recipe}: {checks[0][0]}: {t.agreement}" for t in tried]
    lines += [f"int8: kept {best.recipe}" + ("" if best.agrees() else ": does NOT agree well")]
    if has_vnni():
        lines += ["int8: needs a processor with VNNI, as this one, where it runs"]
    return lines + [f"int8, {name}: {found}" for name, found in checks[1:]]
