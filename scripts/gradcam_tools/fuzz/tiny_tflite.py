"""A TensorFlow Lite file written by hand: no package that is installed writes one."""

from __future__ import annotations

import dataclasses
import struct
from typing import Dict, List, Sequence, Tuple, Union

import numpy as np

# Of TensorFlow's schema.fbs (version 3): BuiltinOperator, and the type of its options.
AVERAGE_POOL, CONV, FULLY_CONNECTED, SOFTMAX = 1, 3, 9, 25
CONV_OPTIONS, POOL_OPTIONS, FULLY_CONNECTED_OPTIONS, SOFTMAX_OPTIONS = 1, 5, 8, 9
FLOAT32 = 0
NO_FUSED, FUSED_RELU = 0, 1


@dataclasses.dataclass
class Number:
    value: float
    format: str = "i"  # of struct: "i", "I", "b", "B", "f"


Field = Union[Number, "Table", str, bytes, List["Table"], Sequence[int]]


@dataclasses.dataclass
class Table:
    """A table of a flatbuffer: its fields by their place in the schema."""

    fields: Dict[int, Field]


class Flatbuffer:
    """Parents first, children behind them, as offsets count forwards."""

    def __init__(self, root: Table, identifier: bytes) -> None:
        self.bytes = bytearray(struct.pack("<I4s", 0, identifier))
        self._point(0, self._table(root))

    def _align(self, size: int = 4) -> None:
        self.bytes += bytes(-len(self.bytes) % size)

    def _point(self, at: int, to: int) -> None:
        struct.pack_into("<I", self.bytes, at, to - at)

    def _table(self, table: Table) -> int:
        self._align()
        slots = max(table.fields, default=-1) + 1
        vtable = len(self.bytes)
        self.bytes += bytes(4 + 2 * slots)
        self._align()
        start = len(self.bytes)
        self.bytes += struct.pack("<i", start - vtable)
        pending: List[Tuple[int, Field]] = []
        for slot, field in table.fields.items():
            self._align()
            at = len(self.bytes)
            struct.pack_into("<H", self.bytes, vtable + 4 + 2 * slot, at - start)
            if isinstance(field, Number):
                self.bytes += struct.pack("<" + field.format, field.value)
            else:
                self.bytes += bytes(4)
                pending.append((at, field))
        struct.pack_into("<HH", self.bytes, vtable, 4 + 2 * slots, len(self.bytes) - start)
        for at, field in pending:
            self._point(at, self._child(field))
        return start

    def _child(self, field: Field) -> int:
        if isinstance(field, Table):
            return self._table(field)
        self._align()
        start = len(self.bytes)
        if isinstance(field, (str, bytes)):
            content = field.encode() if isinstance(field, str) else field
            self.bytes += struct.pack("<I", len(content)) + content + b"\0"
            return start
        values = list(field)
        self.bytes += struct.pack("<I", len(values)) + bytes(4 * len(values))
        for i, value in enumerate(values):
            at = start + 4 + 4 * i
            if isinstance(value, Table):
                self._point(at, self._table(value))
            else:
                struct.pack_into("<i", self.bytes, at, value)
        return start


def weights() -> Dict[str, np.ndarray]:
    """Those of network(): of convolutions OxHxWxI, of the linear layer OxI, and biases."""
    rng = np.random.default_rng(5)
    shapes: Dict[str, Tuple[int, ...]] = {
        **{"w1": (4, 3, 3, 3), "b1": (4,), "w2": (6, 3, 3, 4), "b2": (6,)},
        **{"w3": (5, 6), "b3": (5,)},
    }
    return {name: rng.normal(0, 0.3, shape).astype("<f4") for name, shape in shapes.items()}


def network() -> bytes:
    """1x32x32x3 → convolution with ReLU, another, average over all places, linear layer, softmax.
    Both convolutions halve the size, as TensorFlow's "SAME" does: a zero behind the last row and
    column."""
    buffers: List[Table] = [Table({})]
    tensors: List[Table] = []

    def tensor(name: str, shape: Sequence[int], content: bytes = b"") -> int:
        if content:
            buffers.append(Table({0: content}))
        buffer = len(buffers) - 1 if content else 0
        tensors.append(
            Table({0: shape, 1: Number(FLOAT32, "b"), 2: Number(buffer, "I"), 3: name})
        )
        return len(tensors) - 1

    codes = [CONV, AVERAGE_POOL, FULLY_CONNECTED, SOFTMAX]

    def operator(code: int, inputs: Sequence[int], output: int, kind: int, options: Table) -> Table:
        fields: Dict[int, Field] = {
            0: Number(codes.index(code), "I"), 1: inputs, 2: [output], 3: Number(kind, "B"), 4: options
        }
        return Table(fields)

    def convolution(fused: int, stride: int) -> Table:
        return Table(
            {0: Number(0, "b"), 1: Number(stride), 2: Number(stride), 3: Number(fused, "b")}
        )

    picture = tensor("picture", [1, 32, 32, 3])
    first = tensor("first", [1, 16, 16, 4])
    second = tensor("second", [1, 8, 8, 6])
    mean = tensor("mean", [1, 1, 1, 6])
    scores = tensor("scores", [1, 5])
    shares = tensor("shares", [1, 5])
    held = {
        name: tensor(name, values.shape, values.tobytes()) for name, values in weights().items()
    }
    pool = Table({0: Number(1, "b"), **{slot: Number(8) for slot in (1, 2, 3, 4)}})
    operators = [
        operator(CONV, [picture, held["w1"], held["b1"]], first, CONV_OPTIONS, convolution(FUSED_RELU, 2)),
        operator(CONV, [first, held["w2"], held["b2"]], second, CONV_OPTIONS, convolution(NO_FUSED, 2)),
        operator(AVERAGE_POOL, [second], mean, POOL_OPTIONS, pool),
        operator(FULLY_CONNECTED, [mean, held["w3"], held["b3"]], scores, FULLY_CONNECTED_OPTIONS, Table({})),
        operator(SOFTMAX, [scores], shares, SOFTMAX_OPTIONS, Table({0: Number(1, "f")})),
    ]
    graph = Table({0: tensors, 1: [picture], 2: [shares], 3: operators, 4: "main"})
    opcodes = [Table({0: Number(code, "b"), 2: Number(1), 3: Number(code)}) for code in codes]
    model = Table({0: Number(3, "I"), 1: opcodes, 2: [graph], 3: "tiny", 4: buffers})
    return bytes(Flatbuffer(model, b"TFL3").bytes)
