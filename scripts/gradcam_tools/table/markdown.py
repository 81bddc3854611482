"""The table as Markdown, and its place in a document."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List

BEGIN = "<!-- made by scripts/model_table.py: begin -->"
END = "<!-- made by scripts/model_table.py: end -->"
FORMS = ("pt", "onnx", "xml", "tflite")
EQUAL = {"fp32": 0.999, "bf16": 0.98}  # least correlation of maps that count as equal
LONGEST = 200  # characters of a reason

Result = Dict[str, Any]


class Reasons:
    """Numbers the reasons why files do not run; equal ones have one number."""

    def __init__(self) -> None:
        self.known: List[str] = []

    def number(self, reason: str) -> int:
        text = " ".join(reason.replace("|", "/").split())[:LONGEST]
        if text not in self.known:
            self.known.append(text)
        return self.known.index(text) + 1

    def listed(self) -> List[str]:
        return [f"{number}. {reason}" for number, reason in enumerate(self.known, 1)]


def table(results: List[Result]) -> str:
    reasons = Reasons()
    lines = [
        "| network | input | `.pt` | `.onnx` | `.xml` | bf16 | engine | plain → explained, ms |",
        "|---|---|---|---|---|---|---|---|",
        *(_line(result, reasons) for result in results if result["kind"] != "tflite"),
    ]
    tflite = [result for result in results if result["kind"] == "tflite"]
    if tflite:
        lines += ["", "| network | input | `.tflite` | engine | plain → explained, ms |"]
        lines += ["|---|---|---|---|---|", *(_short_line(result, reasons) for result in tflite)]
    if reasons.known:
        lines += ["", *reasons.listed()]
    return "\n".join(lines)


def _line(result: Result, reasons: Reasons) -> str:
    found = {form: result["forms"].get(form, {}) for form in ("pt", "onnx", "xml")}
    cells = [_name(result), _size(result)]
    cells += [_cell(result, form, reasons) for form in found]
    bf16 = [_correlation(entry.get("bf16", {}), "bf16") for entry in found.values()]
    cells += ["/".join(bf16) if any(value != "–" for value in bf16) else "–"]
    engines = [entry["engine"] for entry in found.values() if entry.get("engine")]
    cells += ["; ".join(dict.fromkeys(engines)), _milliseconds(list(found.values()))]
    return "| " + " | ".join(cells) + " |"


def _short_line(result: Result, reasons: Reasons) -> str:
    found = result["forms"].get("tflite", {})
    cells = [_name(result), _size(result), _cell(result, "tflite", reasons)]
    cells += [found.get("engine", ""), _milliseconds([found])]
    return "| " + " | ".join(cells) + " |"


def _name(result: Result) -> str:
    return result["name"] + (" *" if result.get("described") else "")


def _size(result: Result) -> str:
    return "x".join(map(str, result.get("input_size", ["–"])))


def _cell(result: Result, form: str, reasons: Reasons) -> str:
    """The map's correlation; "runs" where there was nothing to compare with; or why it does not."""
    found = result["forms"].get(form, {})
    if found.get("runs"):
        shown = _correlation(found, "fp32")
        older = " †" if found.get("older") else ""
        return ("runs" if shown == "–" else shown) + older
    if not found and "error" not in result:
        return "not tried"
    return f"no ({reasons.number(found.get('why') or result.get('error', ''))})"


def _correlation(found: Dict[str, Any], precision: str) -> str:
    value = found.get("correlation")
    if value is None:
        return "–"
    shown = f"{min(value, 1):.4f}"
    return shown if value >= EQUAL[precision] else f"**{shown}**"


def _milliseconds(found: List[Dict[str, Any]]) -> str:
    """Plain, of the first form, and explained of each."""
    times = [entry["ms"] for entry in found if "ms" in entry]
    if not times:
        return "–"
    explained = ", ".join(f"{entry['explained']:.1f}" for entry in times)
    return f"{min(entry['plain'] for entry in times):.1f} → {explained}"


def summary(results: List[Result]) -> str:
    """How many run in each form, and how many of these have PyTorch's map."""
    parts = []
    for form in FORMS:
        tried = [result["forms"].get(form, {}) for result in results if form in _forms_of(result)]
        if not tried:
            continue
        running = [found for found in tried if found.get("runs")]
        compared = [found["correlation"] for found in running if "correlation" in found]
        equal = sum(value >= EQUAL["fp32"] for value in compared)
        said = f"{len(running)} of {len(tried)} run as `.{form}`"
        if compared:
            said += f" ({equal} of {len(compared)} maps equal PyTorch's)"
        parts.append(said)
    return "**" + "; ".join(parts) + ".**"


def _forms_of(result: Result) -> List[str]:
    return ["tflite"] if result["kind"] == "tflite" else ["pt", "onnx", "xml"]


def put_between_marks(path: Path, text: str) -> None:
    """Replaces what stands between the marks. Raises ValueError if they are not there."""
    document = path.read_text()
    if document.count(BEGIN) != 1 or document.count(END) != 1:
        raise ValueError(f"{path}: the lines {BEGIN} and {END} must be there once")
    before, rest = document.split(BEGIN)
    _, after = rest.split(END)
    path.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")
