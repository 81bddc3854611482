"""What this machine's processor can do."""

from __future__ import annotations

from pathlib import Path
from typing import List


def cpu_flags() -> List[str]:
    """As the kernel names them; none where it does not tell."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return []
    return next((line.split(":")[1].split() for line in lines if line.startswith("flags")), [])


def has_bf16() -> bool:
    return not {"avx512_bf16", "amx_bf16"}.isdisjoint(cpu_flags())


def has_vnni() -> bool:
    """Whether it sums products of bytes without a limit in between, as VNNI and AMX do: where it has
    AVX2 alone, two products are summed in 16 bits."""
    return not {"avx512_vnni", "avx_vnni", "amx_int8"}.isdisjoint(cpu_flags())
