"""Ways for a real pipeline to fail: by its weights' answers, never by replacing our own code."""

import pytest


def nothing_but_noise(patch: pytest.MonkeyPatch) -> None:
    """Let every autoencoder decode to noise, as an untrained one does."""
    import torch

    answer_with(patch, lambda latents: torch.randn_like(upscaled(latents)))


def nothing_but_zeros(patch: pytest.MonkeyPatch, value: float) -> None:
    """Let every autoencoder decode to one value."""
    import torch

    answer_with(patch, lambda latents: torch.full_like(upscaled(latents), value))


def upscaled(latents):
    import torch

    return torch.nn.functional.interpolate(latents[:, :3], scale_factor=2)


def answer_with(patch: pytest.MonkeyPatch, answer) -> None:
    from diffusers.models.autoencoders.vae import Decoder

    patch.setattr(Decoder, "forward", lambda self, latents, *rest, **named: answer(latents))


def memory_for(patch: pytest.MonkeyPatch, *, latents: int) -> None:
    """Let every UNet run out of memory above so many latent pixels, as a card does."""
    import torch
    from diffusers import UNet2DConditionModel

    honest = UNet2DConditionModel.forward

    def forward(self, sample, *rest, **named):
        if sample.shape[2] * sample.shape[3] > latents:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return honest(self, sample, *rest, **named)

    patch.setattr(UNet2DConditionModel, "forward", forward)
