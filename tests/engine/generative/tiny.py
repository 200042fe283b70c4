"""Tiny Stable Diffusion checkpoints, built from configurations and saved as real ones are.

Two kinds. A *random* model has random weights and returns garbage, which the engine must refuse.
A *faithful* one has an autoencoder set by hand that keeps the picture at half size, and latents so
large that a few steps of noise hardly show: it stands for a model that did its work.
"""

import json
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    EulerDiscreteScheduler,
    StableDiffusionImg2ImgPipeline,
    StableDiffusionInpaintPipeline,
    StableDiffusionXLImg2ImgPipeline,
    StableDiffusionXLInpaintPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

WIDTH = 16
LARGE = 4.0  # a constant beside which the picture is small, so that normalising only scales


def byte_letters() -> list[str]:
    """Return the 256 printable signs that stand for bytes in a byte-level vocabulary."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    signs = {byte: chr(byte) for byte in plain}
    rest = (byte for byte in range(256) if byte not in signs)
    signs |= {byte: chr(256 + index) for index, byte in enumerate(rest)}
    return [signs[byte] for byte in range(256)]


def tokenizer() -> CLIPTokenizer:
    letters = byte_letters()
    ends = [f"{letter}</w>" for letter in letters]
    words = [*letters, *ends, "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {word: index for index, word in enumerate(words)}
    return CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77)


def text_config() -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=514,
        bos_token_id=512,
        eos_token_id=513,
        pad_token_id=513,
        hidden_size=32,
        intermediate_size=37,
        num_attention_heads=4,
        num_hidden_layers=2,
        projection_dim=32,
    )


def autoencoder(*, faithful: bool) -> AutoencoderKL:
    vae = AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=["DownEncoderBlock2D"] * 2,
        up_block_types=["UpDecoderBlock2D"] * 2,
        block_out_channels=[WIDTH, WIDTH],
        norm_num_groups=1,
        mid_block_add_attention=False,
        latent_channels=4,
        sample_size=64,
        scaling_factor=40.0 if faithful else 0.18215,
    )
    if faithful:
        with torch.no_grad():
            make_faithful(vae)
    return vae


def make_faithful(vae: AutoencoderKL) -> None:
    """Set the weights so that decoding an encoding gives the picture back at half its detail.

    Channels 0-2 carry the colours, 3-5 their negatives, 6 and 7 a constant and its negative. The
    constants make normalisation a known division, and silu(x) - silu(-x) is x.
    """
    for name, weights in vae.named_parameters():
        if "conv2" in name or "to_out" in name:
            weights.zero_()  # residual blocks and attention add nothing
    for coder in (vae.encoder, vae.decoder):
        spread(coder.conv_in)
        collect(coder.conv_out)
    average(vae.encoder.down_blocks[0].downsamplers[0].conv)
    same(vae.decoder.up_blocks[0].upsamplers[0].conv)
    same(vae.quant_conv)
    same(vae.post_quant_conv)
    vae.quant_conv.bias[4:] = -30.0  # the latents have no spread


def spread(conv: torch.nn.Conv2d) -> None:
    conv.weight.zero_()
    conv.bias.zero_()
    for colour in range(3):
        conv.weight[colour, colour, 1, 1] = 1.0
        conv.weight[colour + 3, colour, 1, 1] = -1.0
    conv.bias[6], conv.bias[7] = LARGE, -LARGE


def collect(conv: torch.nn.Conv2d) -> None:
    """Undo the normalisation: the constants' share of the spread is sqrt(2 / 16) of LARGE."""
    conv.weight.zero_()
    conv.bias.zero_()
    for colour in range(3):
        conv.weight[colour, colour, 1, 1] = LARGE * (2 / WIDTH) ** 0.5
        conv.weight[colour, colour + 3, 1, 1] = -LARGE * (2 / WIDTH) ** 0.5


def average(conv: torch.nn.Conv2d) -> None:
    conv.weight.zero_()
    conv.bias.zero_()
    for channel in range(WIDTH):
        conv.weight[channel, channel, :2, :2] = 0.25


def same(conv: torch.nn.Conv2d) -> None:
    conv.weight.zero_()
    conv.bias.zero_()
    middle = conv.kernel_size[0] // 2
    for channel in range(min(conv.in_channels, conv.out_channels)):
        conv.weight[channel, channel, middle, middle] = 1.0


def small_parts(channels: int, *, faithful: bool) -> dict[str, object]:
    """Return the parts of a Stable Diffusion 1.5 with so many channels into its UNet."""
    torch.manual_seed(0)
    return {
        "vae": autoencoder(faithful=faithful),
        "text_encoder": CLIPTextModel(text_config()),
        "tokenizer": tokenizer(),
        "unet": UNet2DConditionModel(
            sample_size=32,
            in_channels=channels,
            out_channels=4,
            block_out_channels=(16, 32),
            layers_per_block=1,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            cross_attention_dim=32,
            norm_num_groups=8,
            attention_head_dim=4,
        ),
        "scheduler": DDIMScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            clip_sample=False,
            set_alpha_to_one=False,
            steps_offset=1,
        ),
        "safety_checker": None,
        "feature_extractor": None,
        "requires_safety_checker": False,
    }


def large_parts(channels: int, *, faithful: bool) -> dict[str, object]:
    """Return the parts of a Stable Diffusion XL with so many channels into its UNet."""
    torch.manual_seed(0)
    return {
        "vae": autoencoder(faithful=faithful),
        "text_encoder": CLIPTextModel(text_config()),
        "text_encoder_2": CLIPTextModelWithProjection(text_config()),
        "tokenizer": tokenizer(),
        "tokenizer_2": tokenizer(),
        "unet": UNet2DConditionModel(
            sample_size=32,
            in_channels=channels,
            out_channels=4,
            block_out_channels=(16, 32),
            layers_per_block=1,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            attention_head_dim=(2, 4),
            norm_num_groups=8,
            use_linear_projection=True,
            addition_embed_type="text_time",
            addition_time_embed_dim=8,
            transformer_layers_per_block=(1, 1),
            projection_class_embeddings_input_dim=80,
            cross_attention_dim=64,
        ),
        "scheduler": EulerDiscreteScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            steps_offset=1,
            timestep_spacing="leading",
        ),
    }


def save_all(models: Path, *, faithful: bool) -> None:
    """Save one model under each folder name that the registry knows."""
    small, large = (
        {channels: make(channels, faithful=faithful) for channels in (4, 9)}
        for make in (small_parts, large_parts)
    )
    StableDiffusionImg2ImgPipeline(**small[4]).save_pretrained(models / "sd15")
    StableDiffusionInpaintPipeline(**small[9]).save_pretrained(models / "sd15-inpaint")
    StableDiffusionXLImg2ImgPipeline(**large[4]).save_pretrained(models / "sdxl")
    StableDiffusionXLInpaintPipeline(**large[9]).save_pretrained(models / "sdxl-inpaint")


def declare(folder: Path, class_name: str) -> None:
    """Write another class name into a saved model's index."""
    index = folder / "model_index.json"
    content = json.loads(index.read_text())
    index.write_text(json.dumps({**content, "_class_name": class_name}))
