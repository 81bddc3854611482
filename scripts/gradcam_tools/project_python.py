"""Lets a script that was started by any Python run under the one that scripts/setup made."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path


def lacking(error: ImportError) -> str:
    """One line for a package that only some networks need."""
    if Path(sys.prefix) == Path(__file__).resolve().parent.parent / ".venv":
        return f"{error}: run scripts/setup"
    return f"{error} in {sys.executable}: install it there, or run this with .venv/bin/python"


def use_project_python(*modules: str) -> None:
    """Goes on under the project's .venv where the interpreter at hand lacks one of `modules`."""
    venv = Path(__file__).resolve().parent.parent / ".venv"
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if not missing:
        return
    script = Path(sys.argv[0]).stem
    if Path(sys.prefix) != venv and (venv / "bin/python").exists():
        os.execv(venv / "bin/python", [str(venv / "bin/python"), *sys.argv])
    print(f"{script}: needs {' and '.join(missing)}: run scripts/setup", file=sys.stderr)
    sys.exit(2)
