"""What this machine's processor can do."""

from __future__ import annotations

from pathlib import Path
from typing import List


def cpu_flags() -> List[str]:
    """The features of the processor by the kernel's names; empty if the kernel lists none."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return []
    return next((line.split(":")[1].split() for line in lines if line.startswith("flags")), [])


def has_bf16() -> bool:
    return not {"avx512_bf16", "amx_bf16"}.isdisjoint(cpu_flags())


def has_vnni() -> bool:
    """Whether it adds up products of bytes in 32 bits, as VNNI and AMX do. A processor with AVX2
    alone adds two products in 16 bits, which can overflow."""
    return not {"avx512_vnni", "avx_vnni", "amx_int8"}.isdisjoint(cpu_flags())
