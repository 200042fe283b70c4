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


def an_ideal_editor(patch: pytest.MonkeyPatch, *, red: float = 0.0) -> None:
    """Let every FLUX.2 network see through all noise to the picture it was shown, or a redder one.

    What it is handed is noise and picture, token after token; the speed from one to the other over
    the time that is left arrives where it should, whatever the number of steps.
    """
    import torch
    from diffusers import Flux2Transformer2DModel

    def forward(self, hidden_states, timestep, **named):
        noisy, shown = hidden_states.chunk(2, dim=1)
        wanted = shown.clone()
        wanted[..., :4] += 40 * red  # four pixels a token; the tiny model's latents are so large
        speed = (noisy - wanted) / timestep.reshape(-1, 1, 1)
        return (torch.cat([speed, torch.zeros_like(shown)], dim=1),)

    patch.setattr(Flux2Transformer2DModel, "forward", forward)


def an_ideal_film(patch: pytest.MonkeyPatch) -> None:
    """Let Qwen's autoencoder decode whatever was drawn to the largest picture it was shown."""
    import torch
    from diffusers import AutoencoderKLQwenImage

    shown, honest = [], AutoencoderKLQwenImage.encode

    def encode(self, film, *rest, **named):
        if not shown or film.numel() > shown[0].numel():
            shown[:] = [film]
        return honest(self, film, *rest, **named)

    def decode(self, latents, return_dict=True):
        size = tuple(side * self.spatial_compression_ratio for side in latents.shape[3:])
        frame = torch.nn.functional.interpolate(shown[0][:, :, 0], size, mode="bilinear")
        return (frame[:, :, None],)

    patch.setattr(AutoencoderKLQwenImage, "encode", encode)
    patch.setattr(AutoencoderKLQwenImage, "decode", decode)


def networks():
    """Return every kind of network that a family here denoises with."""
    import diffusers

    return (
        diffusers.Flux2Transformer2DModel,
        diffusers.UNet2DConditionModel,
        diffusers.ZImageTransformer2DModel,
        diffusers.QwenImageTransformer2DModel,
    )


def no_memory(patch: pytest.MonkeyPatch, *, times: int) -> None:
    """Let every family's network run out of memory so many times, and then work as it did."""
    import torch

    left = [times]
    for kind in networks():
        honest = kind.forward

        def forward(self, *given, honest=honest, **named):
            left[0] -= 1
            if left[0] >= 0:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
            return honest(self, *given, **named)

        patch.setattr(kind, "forward", forward)


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
