"""Writes a taught network as ONNX: half-precision weights, single-precision in and out."""

import warnings
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

OPSET = 17
SIDE = 64  # of the picture that the graph is traced with
HALVED_FROM = 64  # weights of fewer numbers stay single: they cost nothing
PARITY = 1e-3  # the largest difference between torch and ONNX Runtime that is taken


class UnlikeError(Exception):
    """The exported graph answers otherwise than the network."""


def halved(network: nn.Module) -> nn.Module:
    """The network with its weights rounded to what the file will hold; in place."""
    with torch.no_grad():
        for value in network.parameters():
            if value.numel() >= HALVED_FROM:
                value.copy_(value.half().float())
    return network


def export(network: nn.Module, inputs: Mapping[str, tuple[int, int]], path: Path) -> str:
    """Writes the file and gives its sha256. `inputs`: name to (channels, side divided by).

    Raises UnlikeError when ONNX Runtime and torch differ on a random picture.
    """
    network = halved(network).eval()
    trial = _trial(inputs, SIDE)
    beside = path.with_suffix(".part")
    _trace(network, trial, beside)
    graph = onnx.load(str(beside))
    _halve(graph)
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


def _halve(graph: onnx.ModelProto) -> None:
    """Each large weight is stored in half precision and cast when the session is made."""
    casts = []
    for weight in graph.graph.initializer:
        values = numpy_helper.to_array(weight)
        if weight.data_type != TensorProto.FLOAT or values.size < HALVED_FROM:
            continue
        name = weight.name
        weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
    nodes = list(graph.graph.node)
    del graph.graph.node[:]
    graph.graph.node.extend(casts + nodes)


def _compare(network: nn.Module, inputs: Mapping[str, tuple[int, int]], path: Path) -> None:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    trial = _trial(inputs, 2 * SIDE)
    with torch.inference_mode():
        wanted = network(*trial.values()).numpy()
    given = session.run(None, {name: value.numpy() for name, value in trial.items()})[0]
    if given.shape != wanted.shape or float(np.abs(given - wanted).max()) > PARITY:
        raise UnlikeError(f"{path.name}: {given.shape} against {wanted.shape}")


def weights(path: Path) -> dict[str, Tensor]:
    """The weights of an exported network by their torch names, to begin another run with."""
    found = {}
    for weight in onnx.load(str(path)).graph.initializer:
        values = numpy_helper.to_array(weight)
        found[weight.name.removesuffix("_half")] = torch.from_numpy(values.astype(np.float32))
    return found
