"""Files and folders of the project that several commands need."""

from __future__ import annotations

import os
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[1]
ROOT = SCRIPTS.parent
VENV = ROOT / ".venv"  # made by scripts/setup
# Tests name the one that is tested.
PROGRAM = Path(os.environ.get("PROGRAM_UNDER_TEST", ROOT / "build/release/gradcam-live"))
SHARED = ROOT.parent / "shared"  # films, pictures and weights; may be missing
RESNET50_WEIGHTS = SHARED / "models/resnet50_imagenet/resnet50_imagenet_state_dict.pth"
