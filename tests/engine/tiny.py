"""Networks of our own shapes with a handful of weights: quick, and as hungry for whole pictures."""

from __future__ import annotations

import warnings
from pathlib import Path

from restoration.engine import networks
from tests.services.need import need


def ship(folder: Path, name: str, *, channels: int, conditions: int = 0, scale: int = 1) -> None:
    """Writes folder/NAME.onnx, with random weights, and its sum, as the folder `shipped` has."""
    need("torch")
    import torch

    from restoration.training.export import export
    from restoration.training.networks import Network, Shape

    torch.manual_seed(3)
    shape = Shape(
        channels, conditions, channels, (8, 8, 8), (1, 1, 1), scale=scale, residual=scale == 1
    )
    inputs = {"picture": (channels, 1)} | ({"conditions": (conditions, 2)} if conditions else {})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        digest = export(Network(shape), inputs, folder / f"{name}.onnx")
    (folder / networks.SUMS).write_text(f"{digest}  {name}.onnx\n")
