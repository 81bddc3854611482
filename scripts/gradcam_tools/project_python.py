"""Lets a script that was started by any Python run under the one that scripts/setup made."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

from gradcam_tools.paths import VENV


def lacking(error: ImportError) -> str:
    """One line for a package that only some networks need."""
    if Path(sys.prefix) == VENV:
        return f"{error}: run scripts/setup"
    return f"{error} in {sys.executable}: install it there, or run this with .venv/bin/python"


def use_project_python(*modules: str) -> None:
    """Starts the script again under the project's .venv if this Python lacks one of `modules`."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if not missing:
        return
    script = Path(sys.argv[0]).stem
    if Path(sys.prefix) != VENV and (VENV / "bin/python").exists():
        os.execv(VENV / "bin/python", [str(VENV / "bin/python"), *sys.argv])
    print(f"{script}: needs {' and '.join(missing)}: run scripts/setup", file=sys.stderr)
    sys.exit(2)
