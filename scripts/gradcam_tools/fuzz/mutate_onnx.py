"""ONNX files that are still ONNX files, and say what no exporter says."""

from __future__ import annotations

from random import Random
from typing import Any, Callable, List

import onnx
from onnx import AttributeProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, helper

Change = Callable[[ModelProto, Random], None]

# Of which the reader knows most.
OPERATIONS = """Abs Add ArgMax AveragePool BatchNormalization Cast Ceil Clip Concat Constant
ConstantOfShape Conv ConvTranspose CumSum DepthToSpace DequantizeLinear Div Dropout Einsum Elu Equal Erf
Exp Expand Flatten Floor Gather GatherElements GatherND Gemm GlobalAveragePool GlobalMaxPool Greater
HardSigmoid HardSwish Identity If InstanceNormalization LSTM LayerNormalization LeakyRelu Less Log
LogSoftmax Loop MatMul Max MaxPool Mean Min Mul Neg NonMaxSuppression NonZero Not OneHot PRelu Pad Pow
QuantizeLinear RandomNormal Range Reciprocal ReduceL2 ReduceMax ReduceMean ReduceProd ReduceSum Relu
Reshape Resize RoiAlign ScatterElements ScatterND Selu Shape Sigmoid Sign Sin Size Slice Softmax Softplus
SpaceToDepth Split Sqrt Squeeze Sub Sum Tanh Tile TopK Transpose Unsqueeze Upsample Where Xor
NoSuchOperation""".split()
NUMBERS = [0, 1, -1, 2, 3, 7, 16, 255, 65536, 2**31 - 1, -(2**31), 2**31, 2**62, -(2**63)]
FLOATS = [0.0, -1.0, 1e-45, 1e38, float("inf"), float("nan"), 0.5]
TYPES = [value for name, value in TensorProto.DataType.items()]
TEXTS = ["", "a", "\x00", "%n%s", "../../../../etc/passwd", "ü" * 300, "x" * 70000, "NOTSET", "SAME_UPPER"]


def any_tensor(model: ModelProto, random: Random) -> str:
    names = [name for node in model.graph.node for name in [*node.input, *node.output]]
    names += [tensor.name for tensor in model.graph.initializer]
    return random.choice([*names, "nowhere", ""])


def any_node(model: ModelProto, random: Random) -> NodeProto:
    return random.choice(model.graph.node) if model.graph.node else model.graph.node.add()


def any_value(model: ModelProto, random: Random) -> ValueInfoProto:
    values = [*model.graph.input, *model.graph.output]
    return random.choice(values) if values else model.graph.input.add()


def drop_node(model: ModelProto, random: Random) -> None:
    if model.graph.node:
        del model.graph.node[random.randrange(len(model.graph.node))]


def repeat_node(model: ModelProto, random: Random) -> None:
    model.graph.node.add().CopyFrom(any_node(model, random))


def shuffle_nodes(model: ModelProto, random: Random) -> None:
    nodes = list(model.graph.node)
    random.shuffle(nodes)
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def other_operation(model: ModelProto, random: Random) -> None:
    any_node(model, random).op_type = random.choice(OPERATIONS)


def other_domain(model: ModelProto, random: Random) -> None:
    any_node(model, random).domain = random.choice(["ai.onnx.ml", "com.microsoft", "none"])


def other_input(model: ModelProto, random: Random) -> None:
    node = any_node(model, random)
    if node.input:
        node.input[random.randrange(len(node.input))] = any_tensor(model, random)


def more_or_fewer_inputs(model: ModelProto, random: Random) -> None:
    node = any_node(model, random)
    if node.input and random.random() < 0.5:
        del node.input[random.randrange(len(node.input))]
    else:
        node.input.extend(any_tensor(model, random) for _ in range(random.choice([1, 1, 2, 40])))


def other_output(model: ModelProto, random: Random) -> None:
    node = any_node(model, random)
    if node.output and random.random() < 0.7:
        node.output[random.randrange(len(node.output))] = any_tensor(model, random)
    else:
        node.output.append(any_tensor(model, random))


def other_attribute(model: ModelProto, random: Random) -> None:
    node = any_node(model, random)
    if not node.attribute:
        node.attribute.append(helper.make_attribute("axis", random.choice(NUMBERS)))
        return
    place = random.randrange(len(node.attribute))
    attribute = node.attribute[place]
    how = random.randrange(5)
    if how == 0:
        del node.attribute[place]
    elif how == 1:
        attribute.type = random.choice(AttributeProto.AttributeType.values())
    elif how == 2:
        attribute.name = random.choice(["axis", "axes", "pads", "mode", "to", "value", "perm", "x"])
    elif attribute.ints and how == 3:
        size = random.choice([0, 1, 2, 3, 4, 5, 9])
        del attribute.ints[:]
        attribute.ints.extend(random.choice(NUMBERS) for _ in range(size))
    elif attribute.ints:
        attribute.ints[random.randrange(len(attribute.ints))] = random.choice(NUMBERS)
    elif attribute.s:
        attribute.s = random.choice(TEXTS).encode()
    else:
        attribute.i, attribute.f = random.choice(NUMBERS), random.choice(FLOATS)


def any_weights(model: ModelProto, random: Random) -> TensorProto:
    tensors = list(model.graph.initializer)
    tensors += [a.t for node in model.graph.node for a in node.attribute if a.HasField("t")]
    return random.choice(tensors) if tensors else model.graph.initializer.add()


def other_weights(model: ModelProto, random: Random) -> None:
    tensor = any_weights(model, random)
    how = random.randrange(6)
    if how == 0:
        tensor.data_type = random.choice(TYPES)
    elif how == 1 and tensor.dims:
        tensor.dims[random.randrange(len(tensor.dims))] = random.choice(NUMBERS)
    elif how == 2:
        tensor.dims.extend(random.choice([1, 1, 2, 2**40]) for _ in range(random.choice([1, 2, 9])))
    elif how == 3:
        tensor.raw_data = tensor.raw_data[: random.randrange(len(tensor.raw_data) + 1)]
    elif how == 4:
        tensor.raw_data = bytes(random.randrange(256) for _ in range(len(tensor.raw_data)))
    else:
        tensor.data_location = TensorProto.EXTERNAL
        del tensor.external_data[:]
        for key, value in (
            ("location", random.choice(["none.data", "../none", "/dev/zero", ".", *TEXTS])),
            ("offset", str(random.choice(NUMBERS))),
            ("length", str(random.choice(NUMBERS))),
        ):
            if random.random() < 0.8:
                entry = tensor.external_data.add()
                entry.key, entry.value = key, value


def other_shape(model: ModelProto, random: Random) -> None:
    value = any_value(model, random)
    shape = value.type.tensor_type.shape
    how = random.randrange(6)
    if how == 0:
        del shape.dim[:]
    elif how == 1:
        shape.dim.add().dim_value = random.choice(NUMBERS)
    elif how == 2:
        value.type.tensor_type.elem_type = random.choice(TYPES)
    elif how == 3:
        value.ClearField("type")
    elif shape.dim:
        dim = random.choice(shape.dim)
        if random.random() < 0.4:
            dim.dim_param = random.choice(["n", "", *TEXTS[:3]])
        else:
            dim.dim_value = random.choice([1, 3, 4, 8, 31, 33, 64, *NUMBERS])


def other_ends(model: ModelProto, random: Random) -> None:
    graph = model.graph
    how = random.randrange(4)
    if how == 0 and graph.output:
        graph.output[random.randrange(len(graph.output))].name = any_tensor(model, random)
    elif how == 1:
        graph.output.add().name = any_tensor(model, random)
    elif how == 2:
        graph.input.add().CopyFrom(any_value(model, random))
        graph.input[-1].name = any_tensor(model, random)
    elif graph.output:
        del graph.output[:]


def other_version(model: ModelProto, random: Random) -> None:
    if random.random() < 0.3:
        model.ir_version = random.choice([0, 1, 3, 12, 2**31 - 1, 2**62])
    elif model.opset_import:
        model.opset_import[0].version = random.choice([-1, 0, 1, 7, 9, 11, 13, 18, 21, 25, 2**62])


def other_metadata(model: ModelProto, random: Random) -> None:
    entry = model.metadata_props.add()
    entry.key = random.choice(["gradcam.json", "names", "task", "stride", "imgsz", *TEXTS])
    entry.value = random.choice(
        [
            "{", "[]", "null", '{"input_size": [0, 0]}', '{"input_size": [-1, 99999999999]}',
            '{"task": "detection", "output": {"format": "yolov8"}}', '{"mean": "x"}', "[" * 100000,
            '{"tokens": {"drop": 1, "grid": [4, 4]}}', "{0: 'a', 1: 'b'}", *TEXTS,
        ]
    )  # fmt: skip


def other_name(model: ModelProto, random: Random) -> None:
    any_node(model, random).name = random.choice(
        ["/a/a.b/c", "/", "//", "/a//b", "__module.a/b", "a/" * 2000, *TEXTS]
    )


def subgraph(model: ModelProto, random: Random) -> None:
    """Of a branch or loop, one in the other up to a depth at which readers that recurse end."""
    inner: Any = model.graph
    made = onnx.GraphProto()
    made.CopyFrom(inner)
    for _ in range(random.choice([1, 2, 30])):
        node = helper.make_node("If", [any_tensor(model, random)], [f"if{random.random()}"])
        node.attribute.append(helper.make_attribute("then_branch", made))
        node.attribute.append(helper.make_attribute("else_branch", made))
        outer = onnx.GraphProto()
        outer.name = "outer"
        outer.node.append(node)
        made = outer
        if made.ByteSize() > 1 << 20:
            break
    model.graph.node.extend(made.node)


def chain(model: ModelProto, random: Random) -> None:
    """Many operations behind each other: who recurses runs out of stack. (Few files are that long:
    OpenVINO compiles a long chain in a time that grows with its square.)"""
    value = any_tensor(model, random)
    for step in range(random.choice([30] * 15 + [3000])):
        model.graph.node.append(helper.make_node("Relu", [value], [f"chain{step}"]))
        value = f"chain{step}"
    if model.graph.output:
        model.graph.output[0].name = value


def call_function(model: ModelProto, random: Random) -> None:
    """A function of the file's own, which may call itself."""
    name = random.choice(["Own", "Relu"])
    body = [helper.make_node(random.choice([name, "Relu"]), ["x"], ["y"], domain="own")]
    function = helper.make_function("own", name, ["x"], ["y"], body, model.opset_import)
    model.functions.append(function)
    node = any_node(model, random)
    node.op_type, node.domain = name, "own"


CHANGES: List[Change] = [
    drop_node, repeat_node, shuffle_nodes, other_operation, other_operation, other_domain, other_input,
    other_input, more_or_fewer_inputs, other_output, other_attribute, other_attribute,
    other_attribute, other_weights, other_weights, other_shape, other_shape, other_ends,
    other_version, other_metadata, other_name, subgraph, chain, call_function,
]  # fmt: skip


def mutated(content: bytes, random: Random) -> bytes:
    """The file with one to four changes."""
    model = onnx.load_model_from_string(content)
    for _ in range(random.choice([1, 1, 2, 4])):
        random.choice(CHANGES)(model, random)
    return bytes(model.SerializeToString())
