"""Full-size ONNX networks with seeded random weights, for benchmarks and tests without published files.

The detector has the layout of SCRFD-10GF (Guo et al., arXiv 2105.04714: four stages of basic blocks, a
path-aggregation neck, three heads with group normalisation) and the recogniser that of ArcFace's IResNet-50
(arXiv 1801.07698), so that time and memory match the published files, and so do input and output shapes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from ipvg_eval.metrics.faces.alignment import TEMPLATE_SIZE, template

_OPSET: Final = 17
_IR_VERSION: Final = 8
_ANCHORS: Final = 2
_STRIDES: Final = (8, 16, 32)
_BOX_REACH: Final = 2.5  # from anchor to each side of the box, in strides
_LANDMARK_SPREAD: Final = 0.8  # of the landmarks within the box
_GROUPS: Final = 16
_NEARLY_BLACK: Final = 0.98  # black pixels enter as -0.996, white ones as 0.996


def write_detector(
    path: Path,
    seed: int,
    *,
    planes: Sequence[int] = (56, 88, 88, 224),
    blocks: Sequence[int] = (3, 4, 2, 3),
    neck: int = 56,
    head: int = 80,
    score_bias: float = -2.5,
) -> None:
    """An SCRFD detector that reports a few faces in nearly every picture, where depends on the picture.

    The logits of every stride are normalised over the picture, so that some anchors pass 0.5 whatever the
    seed, but none in black areas; boxes are about five strides wide and landmarks lie roughly as a face's do.

    Args:
        path: file to write; nine outputs (scores, boxes, landmarks at strides 8, 16 and 32).
        seed: of the weights.
        planes: channels of the four stages.
        blocks: basic blocks of the four stages.
        neck: channels of the neck.
        head: channels of the heads, a multiple of 16.
        score_bias: mean logit, in standard deviations; a very low one makes a detector that finds nothing.
    """
    graph = _Graph(seed)
    x = "input.1"
    for out_channels, stride in ((planes[0] // 2, 2), (planes[0] // 2, 1), (planes[0], 1)):
        x = graph.relu(graph.conv(x, 3 if x == "input.1" else planes[0] // 2, out_channels, 3, stride))
    x = graph.node("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    channels, features = planes[0], []
    for stage, (out_channels, count) in enumerate(zip(planes, blocks, strict=True)):
        for number in range(count):
            stride = 2 if stage > 0 and number == 0 else 1
            x = _basic_block(graph, x, channels, out_channels, stride)
            channels = out_channels
        features.append(x)
    levels = _neck(graph, features[1:], planes[1:], neck)
    scores, boxes, landmarks = [], [], []
    for stride, level in zip(_STRIDES, levels, strict=True):
        x, channels = level, neck
        for _ in range(3):
            x = graph.relu(graph.group_norm(graph.conv(x, channels, head, 3), head))
            channels = head
        logits = graph.prediction(x, head, np.zeros(_ANCHORS), noise=1.0)
        logits = graph.spread(logits, _ANCHORS, score_bias)
        score = graph.node("Add", [logits, graph.black_penalty("input.1", stride)])
        scores.append(graph.node("Sigmoid", [graph.anchor_rows(score, 1)]))
        reach = np.full(4 * _ANCHORS, _BOX_REACH)
        boxes.append(graph.anchor_rows(graph.prediction(x, head, reach, noise=0.3), 4))
        points = np.tile(_landmark_offsets(), _ANCHORS)
        landmarks.append(graph.anchor_rows(graph.prediction(x, head, points, noise=0.15), 10))
    outputs = [(name, [None, 1]) for name in scores]
    outputs += [(name, [None, 4]) for name in boxes]
    outputs += [(name, [None, 10]) for name in landmarks]
    graph.save(path, ("input.1", [1, 3, None, None]), outputs)


def write_recogniser(
    path: Path,
    seed: int,
    *,
    planes: Sequence[int] = (64, 128, 256, 512),
    blocks: Sequence[int] = (3, 4, 14, 3),
    width: int = 512,
) -> None:
    """An IResNet recogniser: (n, 3, 112, 112) to (n, width).

    Args:
        path: file to write.
        seed: of the weights.
        planes: channels of the four stages.
        blocks: blocks of the four stages.
        width: length of the embedding.
    """
    graph = _Graph(seed)
    x = graph.prelu(graph.conv("input.1", 3, planes[0], 3), planes[0])
    channels = planes[0]
    for out_channels, count in zip(planes, blocks, strict=True):
        for number in range(count):
            stride = 2 if number == 0 else 1
            inner = graph.conv(graph.batch_norm(x, channels), channels, out_channels, 3)
            inner = graph.conv(
                graph.prelu(inner, out_channels), out_channels, out_channels, 3, stride, gain=0.3
            )
            shortcut = x if stride == 1 else graph.conv(x, channels, out_channels, 1, stride)
            x, channels = graph.node("Add", [inner, shortcut]), out_channels
    x = graph.node("Flatten", [graph.batch_norm(x, channels)], axis=1)
    x = graph.dense(x, channels * (TEMPLATE_SIZE // 2 ** len(planes)) ** 2, width)
    graph.save(path, ("input.1", [None, 3, TEMPLATE_SIZE, TEMPLATE_SIZE]), [(x, [None, width])])


def _basic_block(graph: _Graph, x: str, channels: int, out_channels: int, stride: int) -> str:
    inner = graph.relu(graph.conv(x, channels, out_channels, 3, stride))
    inner = graph.conv(inner, out_channels, out_channels, 3, gain=0.3)
    if stride > 1:
        x = graph.node("AveragePool", [x], kernel_shape=[2, 2], strides=[2, 2])
    if channels != out_channels:
        x = graph.conv(x, channels, out_channels, 1)
    return graph.relu(graph.node("Add", [inner, x]))


def _neck(graph: _Graph, features: Sequence[str], planes: Sequence[int], width: int) -> list[str]:
    sides = [graph.conv(x, channels, width, 1) for x, channels in zip(features, planes, strict=True)]
    double = graph.constant(np.array([1, 1, 2, 2], dtype=np.float32))
    for number in (1, 0):
        larger = graph.node("Resize", [sides[number + 1], "", double], mode="nearest")
        sides[number] = graph.node("Add", [sides[number], larger])
    levels = [graph.conv(x, width, width, 3) for x in sides]
    for number in (1, 2):
        smaller = graph.conv(levels[number - 1], width, width, 3, 2)
        levels[number] = graph.node("Add", [levels[number], smaller])
    return [levels[0], *(graph.conv(x, width, width, 3) for x in levels[1:])]


def _landmark_offsets() -> npt.NDArray[np.float64]:
    half = TEMPLATE_SIZE / 2
    return ((template() - half) / half * _BOX_REACH * _LANDMARK_SPREAD).ravel()


class _Graph:
    """Collects nodes and weights; every method returns the name of what it computes."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []

    def node(self, kind: str, inputs: Sequence[str], **attributes: Any) -> str:
        name = f"v{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [name], name=f"{kind}_{name}", **attributes))
        return name

    def constant(self, value: npt.NDArray[np.float32] | npt.NDArray[np.int64]) -> str:
        name = f"w{len(self._weights)}"
        self._weights.append(numpy_helper.from_array(value, name))
        return name

    def conv(
        self, x: str, channels: int, out_channels: int, side: int, stride: int = 1, *, gain: float = 1.0
    ) -> str:
        weight = self._normal((out_channels, channels, side, side), gain * np.sqrt(2 / (channels * side**2)))
        return self._conv(x, weight, np.zeros(out_channels, dtype=np.float32), stride)

    def prediction(self, x: str, channels: int, bias: npt.NDArray[np.float64], *, noise: float) -> str:
        """A 3 x 3 convolution whose outputs spread about `noise` around `bias` on normalised input."""
        weight = self._normal((len(bias), channels, 3, 3), 1.0)
        weight -= weight.mean(axis=(1, 2, 3), keepdims=True)
        weight *= noise / np.sqrt((weight**2).sum(axis=(1, 2, 3), keepdims=True) / 2)
        return self._conv(x, weight, bias.astype(np.float32), 1)

    def _conv(
        self, x: str, weight: npt.NDArray[np.float32], bias: npt.NDArray[np.float32], stride: int
    ) -> str:
        side = weight.shape[2]
        return self.node(
            "Conv",
            [x, self.constant(weight), self.constant(bias)],
            kernel_shape=[side, side],
            strides=[stride, stride],
            pads=[side // 2] * 4,
        )

    def relu(self, x: str) -> str:
        return self.node("Relu", [x])

    def prelu(self, x: str, channels: int) -> str:
        return self.node("PRelu", [x, self.constant(np.full((channels, 1, 1), 0.25, dtype=np.float32))])

    def batch_norm(self, x: str, channels: int) -> str:
        ones, zeros = np.ones(channels, dtype=np.float32), np.zeros(channels, dtype=np.float32)
        statistics = [self.constant(value) for value in (ones, zeros, zeros, ones)]
        return self.node("BatchNormalization", [x, *statistics], epsilon=1e-5)

    def group_norm(self, x: str, channels: int) -> str:
        """Group normalisation of one picture as exporters write it: an instance norm between reshapes."""
        shape = self.node("Shape", [x])
        grouped = self.node("Reshape", [x, self.constant(np.array([0, _GROUPS, -1], dtype=np.int64))])
        scale = self.constant(np.ones(_GROUPS, dtype=np.float32))
        shift = self.constant(np.zeros(_GROUPS, dtype=np.float32))
        normal = self.node("InstanceNormalization", [grouped, scale, shift], epsilon=1e-5)
        spread = self.node("Reshape", [normal, shape])
        weights = self._normal((channels, 1, 1), 0.1) + 1
        return self.node("Mul", [spread, self.constant(weights)])

    def spread(self, x: str, channels: int, mean: float) -> str:
        """Every channel with this mean over the picture and unit variance."""
        scale = self.constant(np.ones(channels, dtype=np.float32))
        shift = self.constant(np.full(channels, mean, dtype=np.float32))
        return self.node("InstanceNormalization", [x, scale, shift], epsilon=1e-5)

    def black_penalty(self, picture: str, stride: int) -> str:
        """(1, 1, h, w): far below 0 where the picture is black, as the margin around a fitted frame is."""
        mean = self.node("AveragePool", [picture], kernel_shape=[stride] * 2, strides=[stride] * 2)
        weight = np.full((1, 3, 1, 1), -1 / 3, dtype=np.float32)
        black = self.relu(self._conv(mean, weight, np.array([-_NEARLY_BLACK], dtype=np.float32), 1))
        return self.node("Mul", [black, self.constant(np.array([-1000], dtype=np.float32))])

    def anchor_rows(self, x: str, width: int) -> str:
        """(1, anchors * width, h, w) to (h * w * anchors, width)."""
        last = self.node("Transpose", [x], perm=[0, 2, 3, 1])
        return self.node("Reshape", [last, self.constant(np.array([-1, width], dtype=np.int64))])

    def dense(self, x: str, width: int, out_width: int) -> str:
        weight = self._normal((out_width, width), np.sqrt(1 / width))
        bias = self.constant(np.zeros(out_width, dtype=np.float32))
        return self.node("Gemm", [x, self.constant(weight), bias], transB=1)

    def _normal(self, shape: tuple[int, ...], deviation: float) -> npt.NDArray[np.float32]:
        return self._rng.standard_normal(shape, dtype=np.float32) * np.float32(deviation)

    def save(
        self,
        path: Path,
        source: tuple[str, list[int | None]],
        outputs: Sequence[tuple[str, list[int | None]]],
    ) -> None:
        def declared(name: str, shape: list[int | None]) -> onnx.ValueInfoProto:
            return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

        graph = helper.make_graph(
            self._nodes, "random", [declared(*source)], [declared(*o) for o in outputs], self._weights
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)])
        model.ir_version = _IR_VERSION
        onnx.save(model, str(path))
