"""Writes a taught network as ONNX: weights in half precision, or in eight bits and a scale for each
output, single precision in and out."""

import warnings
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

Numbers = NDArray[np.float32]

OPSET = 17
SIDE = 64  # of the picture that the graph is traced with
SHORT_FROM = 64  # weights of fewer numbers stay single: they cost nothing
PARITY = 1e-3  # the largest difference between torch and ONNX Runtime that is taken


class UnlikeError(Exception):
    """The exported graph answers otherwise than the network."""


def rounded(network: nn.Module, bits: int = 16) -> nn.Module:
    """The network with its weights rounded to what the file will hold; in place."""
    with torch.no_grad():
        for value in network.parameters():
            if value.numel() >= SHORT_FROM:
                value.copy_(torch.from_numpy(_held(value.numpy(), bits)))
    return network


def _held(values: Numbers, bits: int) -> Numbers:
    """What is left of single-precision weights."""
    if bits == 16 or values.ndim < 2:
        return values.astype(np.float16).astype(np.float32)
    levels, scale = _levels(values)
    return levels.astype(np.float32) * scale


def _levels(values: Numbers) -> tuple[NDArray[np.int8], Numbers]:
    """Whole numbers from -127 to 127, and the step of each of the first axis' rows."""
    axes = tuple(range(1, values.ndim))
    scale = np.maximum(np.abs(values).max(axis=axes, keepdims=True) / 127, 1e-8)
    scale = scale.astype(np.float32)
    return np.rint(values / scale).astype(np.int8), scale


def export(
    network: nn.Module, inputs: Mapping[str, tuple[int, int]], path: Path, bits: int = 16
) -> str:
    """Writes the file and gives its sha256. `inputs`: name to (channels, side divided by); bits:
    16 or 8 a weight.

    Raises UnlikeError when ONNX Runtime and torch differ on a random picture.
    """
    network = rounded(network, bits).eval()
    trial = _trial(inputs, SIDE)
    beside = path.with_suffix(".part")
    _trace(network, trial, beside)
    graph = onnx.load(str(beside))
    _shorten(graph, bits)
    onnx.checker.check_model(graph)
    beside.write_bytes(graph.SerializeToString(deterministic=True))
    _compare(network, inputs, beside)
    beside.replace(path)
    return sha256(path.read_bytes()).hexdigest()


def _trace(network: nn.Module, trial: Mapping[str, Tensor], path: Path) -> None:
    """By the older exporter: its graph is smaller, and any size of picture goes through it."""
    axes = {name: {0: "n", 2: f"{name}_h", 3: f"{name}_w"} for name in (*trial, "answer")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            network,
            tuple(trial.values()),
            str(path),
            dynamo=False,
            opset_version=OPSET,
            input_names=list(trial),
            output_names=["answer"],
            dynamic_axes=axes,
        )


def _trial(inputs: Mapping[str, tuple[int, int]], side: int) -> dict[str, Tensor]:
    torch.manual_seed(1)
    return {
        name: torch.rand(1, channels, side // share, side // share)
        for name, (channels, share) in inputs.items()
    }


def _shorten(graph: onnx.ModelProto, bits: int) -> None:
    """Each large weight is stored short and made long when the session is built."""
    nodes: list[onnx.NodeProto] = []
    kept: list[TensorProto] = []
    for weight in graph.graph.initializer:
        values = numpy_helper.to_array(weight)
        if weight.data_type != TensorProto.FLOAT or values.size < SHORT_FROM:
            kept.append(weight)
        elif bits == 16 or values.ndim < 2:
            kept.append(numpy_helper.from_array(values.astype(np.float16), f"{weight.name}_half"))
            nodes.append(_cast(f"{weight.name}_half", weight.name))
        else:
            name = weight.name
            levels, scale = _levels(values)
            kept += [
                numpy_helper.from_array(levels, f"{name}_levels"),
                numpy_helper.from_array(scale, f"{name}_scale"),
            ]
            nodes.append(_cast(f"{name}_levels", f"{name}_long"))
            nodes.append(helper.make_node("Mul", [f"{name}_long", f"{name}_scale"], [name]))
    nodes += list(graph.graph.node)
    for part in (graph.graph.initializer, graph.graph.node):
        del part[:]
    graph.graph.initializer.extend(kept)
    graph.graph.node.extend(nodes)


def _cast(short: str, long: str) -> onnx.NodeProto:
    return helper.make_node("Cast", [short], [long], to=TensorProto.FLOAT)


def _compare(network: nn.Module, inputs: Mapping[str, tuple[int, int]], path: Path) -> None:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    trial = _trial(inputs, 2 * SIDE)
    with torch.inference_mode():
        wanted = network(*trial.values()).numpy()
    given = session.run(None, {name: value.numpy() for name, value in trial.items()})[0]
    # Asked so, that what is no number is no parity either.
    if given.shape != wanted.shape or not float(np.abs(given - wanted).max()) <= PARITY:
        raise UnlikeError(f"{path.name}: {given.shape} against {wanted.shape}")


def weights(path: Path) -> dict[str, Tensor]:
    """The weights of an exported network by their torch names, to begin another run with.

    Raises ValueError or KeyError for a file that is none.
    """
    try:
        graph = onnx.load(str(path)).graph
    except Exception as error:  # protobuf's own, for whatever is no graph
        raise ValueError(f"{path} is no network") from error
    held = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    found = {}
    for short, values in held.items():
        if short.endswith("_scale"):
            continue
        name = short.removesuffix("_half").removesuffix("_levels")
        scale = held[f"{name}_scale"] if short.endswith("_levels") else np.float32(1)
        found[name] = torch.from_numpy(values.astype(np.float32) * scale)
    return found
