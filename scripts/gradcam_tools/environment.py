"""Python environments beside .venv, for packages that the project itself does not need. They take
torch and all else that .venv has from there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from gradcam_tools.paths import VENV

SHARED = "project_venv.pth"


def make_environment(folder: Path) -> Path:
    """Makes the environment where it is missing; its Python."""
    python = folder / "bin/python"
    if not list(folder.glob(f"lib/*/site-packages/{SHARED}")):
        print(f"creating {folder}", file=sys.stderr)
        ours = VENV / "bin/python"
        subprocess.run([str(ours), "-m", "venv", "--clear", str(folder)], check=True, timeout=300)
        where = "import sys; print(*[p for p in sys.path if p.endswith('-packages')], sep='\\n')"
        shared = subprocess.check_output([str(ours), "-c", where], text=True)
        own = subprocess.check_output([str(python), "-c", where], text=True).split()[0]
        (Path(own) / SHARED).write_text(shared)
    return python
