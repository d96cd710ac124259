"""Makes the nets of this folder: python3 make.py (Debian: python3-onnx).

Each averages 8x8 pixels and mixes the channels by fixed weights, which net_test.go repeats.
"""
import onnx
from onnx import TensorProto, helper as h


def weight(d, c):
    return ((7 * d + 3 * c) % 11 - 5) / 10


def save(name, inputs, dim, stride=8, value=None, tail=(), rank=4):
    w = [weight(d, c) if value is None else value for d in range(dim) for c in range(inputs)]
    b = [d / 50 for d in range(dim)]
    nodes = [
        h.make_node("AveragePool", ["in"], ["pool"], kernel_shape=[stride] * 2, strides=[stride] * 2),
        h.make_node("Conv", ["pool", "weight", "bias"], ["out" if not tail else "conv"], kernel_shape=[1, 1]),
        *tail,
    ]
    graph = h.make_graph(
        nodes, name,
        [h.make_tensor_value_info("in", TensorProto.FLOAT, [1, inputs, 176, 320])],
        [h.make_tensor_value_info("out", TensorProto.FLOAT, ["n", "d", "rows", "cols"][:rank])],
        [h.make_tensor("weight", TensorProto.FLOAT, [dim, inputs, 1, 1], w),
         h.make_tensor("bias", TensorProto.FLOAT, [dim], b)])
    model = h.make_model(graph, opset_imports=[h.make_opsetid("", 11)], producer_name="glomstream")
    model.ir_version = 6
    onnx.save(model, name + ".onnx")


save("flow", 5, 8)
save("rgb", 3, 4)
save("stride16", 5, 8, stride=16)
save("channels4", 4, 8)
save("nan", 5, 8, value=float("nan"))
save("pooled", 5, 8, tail=[h.make_node("GlobalAveragePool", ["conv"], ["out"])])
save("flat", 5, 8, tail=[h.make_node("Flatten", ["conv"], ["out"])], rank=2)
