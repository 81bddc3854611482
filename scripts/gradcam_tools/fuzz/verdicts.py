"""What to think of how the reader took a file."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import List, Optional

REFUSED = 4  # ExitCode::kModel
SANITIZER = 99  # the script sets it
DEEP = 5  # calls in a library

# The frames of these say who was called, not who did it.
BELOW_ALL = ("libc.so", "libm.so", "libstdc++", "libgcc_s", "ld-linux", "linux-vdso", "libasan", "libubsan")
SANITIZER_FRAME = re.compile(
    r"^\s*#\d+ 0x[0-9a-f]+ (?:in (?P<name>.*?) )?"
    r"(?:\((?P<module>[^()]*)\+0x[0-9a-f]+\)|(?P<source>/\S+|\.\./\S+|<null>))"
)
GLIBC_FRAME = re.compile(r"^(?P<module>/[^()\s]+)\((?P<name>[^+)]*)\+?(?P<offset>0x[0-9a-f]+)?\) ?\[0x")


@dataclasses.dataclass
class Frame:
    module: str  # "libopenvino.so.2641", or a source file of what was built here
    name: str
    own: bool  # of the program that reads, not of a library

    def __str__(self) -> str:
        return f"{Path(self.module).name} {self.name}".strip()


@dataclasses.dataclass
class Verdict:
    """`kind`: read (exit 0), refused (exit 4 and one line), outside (a crash in a library, or a long
    work of its own), failed."""

    kind: str
    why: str


def frames(text: str, program: str) -> List[Frame]:
    """Of the first report, the innermost first; without those of the C library, of sanitizers, and
    of the handler that printed them."""
    found: List[Frame] = []
    handler = False
    for line in text.splitlines():
        match = SANITIZER_FRAME.match(line)
        if match:
            if line.lstrip().startswith("#0 ") and found:
                break  # a second report: who allocated it, which thread
            module = match["module"] or match["source"]
            own = match["module"] is None or Path(module).name == program
        else:
            match = GLIBC_FRAME.match(line)
            if not match:
                continue
            module = match["module"]
            own = Path(module).name == program
            if not handler:  # up to the frame by which the kernel called it
                handler = not own
                continue
        name = match["name"] or ""
        below = module.startswith("../") or "libsanitizer" in module or "/c++/" in module
        if below or any(library in module for library in BELOW_ALL) or "__interceptor" in name:
            continue
        found.append(Frame(module, name, own))
    return found


def crash(text: str, program: str) -> Verdict:
    stack = frames(text, program)
    head: Optional[str] = next(
        (line for line in text.splitlines() if "ERROR: " in line or "runtime error" in line), None
    )
    what = f"{head.strip()[:160]}: " if head else ""
    if not stack:
        return Verdict("failed", f"{what}crashed, no frames")
    return Verdict("failed" if stack[0].own else "outside", f"{what}{stack[0]}")


def stopped(what: str, text: str, program: str) -> Verdict:
    """A file that took too much. Where it was stopped is by chance: deep inside of a library, which
    was at something large itself, or in what our code calls again and again."""
    stack = frames(text, program)
    depth = next((i for i, frame in enumerate(stack) if frame.own), 0)
    where = f": {stack[0]}, {depth} calls below {stack[depth]}" if stack else ""
    outside = depth >= DEEP
    return Verdict("outside" if outside else "failed", f"took too much {what}{where}")


def verdict_of(end: str, text: str, path: Path, program: str) -> Verdict:
    """`end`, `text`: as read_models tells them. `program`: the name of its file."""
    kind, _, number = end.partition(" ")
    if kind in ("time", "memory"):
        return stopped(kind, text, program)
    if kind == "signal" or int(number) == SANITIZER:
        verdict = crash(text, program)
        return Verdict(verdict.kind, f"{end}: {verdict.why}")
    if int(number) == 0:
        return Verdict("read", "")
    lines = [line for line in text.splitlines() if line.strip()]  # also at control characters
    said = lines[-1][:200] if lines else "nothing"
    if int(number) != REFUSED:
        return Verdict("failed", f"{end}: {said}")
    if len(lines) != 1 or path.name not in lines[0]:
        return Verdict("failed", f"{end}, but not one line that names the file: {len(lines)}, {said}")
    return Verdict("refused", said.replace(str(path), "FILE"))
