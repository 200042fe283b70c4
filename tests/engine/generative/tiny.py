"""Tiny checkpoints of every family, built from configurations and saved as real ones are.

Two kinds. A *random* model has random weights and returns garbage, which the engine must refuse.
A *faithful* one has an autoencoder set by hand that keeps the picture at half size, and latents so
large that a few steps of noise hardly show: it stands for a model that did its work.
"""

import json
import re
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderKLFlux2,
    AutoencoderKLQwenImage,
    ControlNetModel,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    Flux2KleinPipeline,
    Flux2Transformer2DModel,
    PNDMScheduler,
    QwenImageEditPlusPipeline,
    QwenImageTransformer2DModel,
    StableDiffusionImg2ImgPipeline,
    StableDiffusionInpaintPipeline,
    StableDiffusionXLImg2ImgPipeline,
    StableDiffusionXLInpaintPipeline,
    UNet2DConditionModel,
    ZImagePipeline,
    ZImageTransformer2DModel,
)
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from transformers import (
    BatchFeature,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    ProcessorMixin,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2Tokenizer,
    Qwen2VLImageProcessorPil,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from restoration.engine.generative.prompts import TAGS
from restoration.engine.generative.registry import named
from restoration.engine.generative.weights import lock

WIDTH = 16
LARGE = 4.0  # a constant beside which the picture is small, so that normalising only scales


def byte_letters() -> list[str]:
    """Return the 256 printable signs that stand for bytes in a byte-level vocabulary."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    signs = {byte: chr(byte) for byte in plain}
    rest = (byte for byte in range(256) if byte not in signs)
    signs |= {byte: chr(256 + index) for index, byte in enumerate(rest)}
    return [signs[byte] for byte in range(256)]


def word_merges() -> list[tuple[str, str]]:
    """Return the merges by which the words that are always said become one token each.

    Without them every letter is a token, and the guard words alone would fill a CLIP encoder.
    """
    frames = (form for frame in TAGS.values() for _, form in frame)
    words = sorted({word for form in frames for word in re.findall("[a-z]+", form)})
    merges: dict[tuple[str, str], None] = {}
    for word in words:
        for end in range(1, len(word) - 1):
            merges[word[:end], word[end]] = None
        merges[word[:-1], f"{word[-1]}</w>"] = None
    return [pair for pair in merges if pair[0]]


def tokenizer() -> CLIPTokenizer:
    letters = byte_letters()
    ends = [f"{letter}</w>" for letter in letters]
    merges = word_merges()
    joined = dict.fromkeys("".join(pair) for pair in merges)
    words = [*letters, *ends, *joined, "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {word: index for index, word in enumerate(words)}
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=77)


def text_config() -> CLIPTextConfig:
    words = len(tokenizer())
    return CLIPTextConfig(
        vocab_size=words,
        bos_token_id=words - 2,
        eos_token_id=words - 1,
        pad_token_id=words - 1,
        hidden_size=32,
        intermediate_size=37,
        num_attention_heads=4,
        num_hidden_layers=2,
        projection_dim=32,
    )


def autoencoder(
    kind: type = AutoencoderKL, *, faithful: bool, channels: int = 4, **given: object
) -> torch.nn.Module:
    """Return one that halves the sides; the newer families have more channels, or pack them."""
    vae = kind(
        in_channels=3,
        out_channels=3,
        down_block_types=["DownEncoderBlock2D"] * 2,
        up_block_types=["UpDecoderBlock2D"] * 2,
        block_out_channels=[WIDTH, WIDTH],
        norm_num_groups=1,
        mid_block_add_attention=False,
        latent_channels=channels,
        sample_size=64,
        **given,
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
    vae.quant_conv.bias[vae.config.latent_channels :] = -30.0  # the latents have no spread


def silence(conv: torch.nn.Conv2d) -> None:
    conv.weight.zero_()
    conv.bias.zero_()


def spread(conv: torch.nn.Conv2d) -> None:
    silence(conv)
    for colour in range(3):
        conv.weight[colour, colour, 1, 1] = 1.0
        conv.weight[colour + 3, colour, 1, 1] = -1.0
    conv.bias[6], conv.bias[7] = LARGE, -LARGE


def collect(conv: torch.nn.Conv2d) -> None:
    """Undo the normalisation: the constants' share of the spread is sqrt(2 / 16) of LARGE."""
    silence(conv)
    for colour in range(3):
        conv.weight[colour, colour, 1, 1] = LARGE * (2 / WIDTH) ** 0.5
        conv.weight[colour, colour + 3, 1, 1] = -LARGE * (2 / WIDTH) ** 0.5


def average(conv: torch.nn.Conv2d) -> None:
    silence(conv)
    for channel in range(WIDTH):
        conv.weight[channel, channel, :2, :2] = 0.25


def same(conv: torch.nn.Conv2d) -> None:
    silence(conv)
    middle = conv.kernel_size[0] // 2
    for channel in range(min(conv.in_channels, conv.out_channels)):
        conv.weight[channel, channel, middle, middle] = 1.0


def unet(channels: int, **given: object) -> UNet2DConditionModel:
    """Return the network of a Stable Diffusion with so many channels into it."""
    return UNet2DConditionModel(
        sample_size=32,
        in_channels=channels,
        out_channels=4,
        block_out_channels=(16, 32),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        norm_num_groups=8,
        **given,
    )


# The noise that every Stable Diffusion was taught on.
NOISE = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "steps_offset": 1,
}


def small_parts(channels: int, *, faithful: bool) -> dict[str, object]:
    """Return the parts of a Stable Diffusion 1.5 with so many channels into its UNet."""
    torch.manual_seed(0)
    return {
        "vae": autoencoder(faithful=faithful, scaling_factor=40.0 if faithful else 0.18215),
        "text_encoder": CLIPTextModel(text_config()),
        "tokenizer": tokenizer(),
        "unet": unet(channels, cross_attention_dim=32, attention_head_dim=4),
        "scheduler": PNDMScheduler(skip_prk_steps=True, set_alpha_to_one=False, **NOISE),
        "safety_checker": None,
        "feature_extractor": None,
        "requires_safety_checker": False,
    }


def large_parts(channels: int, *, faithful: bool) -> dict[str, object]:
    """Return the parts of a Stable Diffusion XL with so many channels into its UNet."""
    torch.manual_seed(0)
    return {
        "vae": autoencoder(faithful=faithful, scaling_factor=40.0 if faithful else 0.18215),
        "text_encoder": CLIPTextModel(text_config()),
        "text_encoder_2": CLIPTextModelWithProjection(text_config()),
        "tokenizer": tokenizer(),
        "tokenizer_2": tokenizer(),
        "unet": unet(
            channels,
            attention_head_dim=(2, 4),
            use_linear_projection=True,
            addition_embed_type="text_time",
            addition_time_embed_dim=8,
            transformer_layers_per_block=(1, 1),
            projection_class_embeddings_input_dim=80,
            cross_attention_dim=64,
        ),
        "scheduler": EulerDiscreteScheduler(timestep_spacing="leading", **NOISE),
    }


SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
CHAT = (
    "{% for m in messages %}<|im_start|>{{m['role']}}\n{{m['content']}}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def chat_tokenizer() -> Qwen2Tokenizer:
    vocabulary = {letter: index for index, letter in enumerate(byte_letters())}
    made = Qwen2Tokenizer(vocab=vocabulary, merges=[])
    made.add_special_tokens({"pad_token": SPECIAL[0], "eos_token": SPECIAL[2]})
    made.add_tokens(list(SPECIAL), special_tokens=True)
    made.chat_template = CHAT
    return made


def chat_encoder(layers: int) -> Qwen3ForCausalLM:
    torch.manual_seed(0)
    config = Qwen3Config(
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=layers,
        num_attention_heads=2,
        num_key_value_heads=2,
        head_dim=8,
        vocab_size=272,
        max_position_embeddings=1024,
    )
    return Qwen3ForCausalLM(config)


def klein_parts(*, faithful: bool) -> dict[str, object]:
    """Return the parts of a FLUX.2 klein; its pipeline reads layers 9, 18 and 27 of the words."""
    torch.manual_seed(0)
    vae = autoencoder(AutoencoderKLFlux2, faithful=faithful)
    vae.bn.running_var.fill_((1 / 40) ** 2 if faithful else 1.0)  # latents beside which noise fades
    return {
        "scheduler": FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True),
        "text_encoder": chat_encoder(27),
        "tokenizer": chat_tokenizer(),
        "transformer": Flux2Transformer2DModel(
            patch_size=1,
            in_channels=16,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=48,
            timestep_guidance_channels=256,
            axes_dims_rope=[4, 4, 4, 4],
            guidance_embeds=False,
        ),
        "vae": vae,
        "is_distilled": True,
    }


def z_image_parts(*, faithful: bool) -> dict[str, object]:
    torch.manual_seed(0)
    scales = {"scaling_factor": 40.0 if faithful else 0.36, "shift_factor": 0.11}
    return {
        "scheduler": FlowMatchEulerDiscreteScheduler(shift=3.0),
        "vae": autoencoder(faithful=faithful, channels=16, **scales),
        "text_encoder": chat_encoder(2),
        "tokenizer": chat_tokenizer(),
        "transformer": ZImageTransformer2DModel(
            all_patch_size=(2,),
            all_f_patch_size=(1,),
            in_channels=16,
            dim=32,
            n_layers=2,
            n_refiner_layers=1,
            n_heads=2,
            n_kv_heads=2,
            norm_eps=1e-5,
            qk_norm=True,
            cap_feat_dim=16,
            rope_theta=256.0,
            t_scale=1000.0,
            axes_dims=[8, 4, 4],
            axes_lens=[1024, 128, 128],
        ),
    }


QWEN_SPECIAL = (
    *SPECIAL, "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>",
    "<|video_pad|>",
)  # fmt: skip


# As Qwen's own folder has it.
QWEN_NOISE = {
    "base_shift": 0.5,
    "max_shift": 0.9,
    "max_image_seq_len": 8192,
    "shift_terminal": 0.02,
    "use_dynamic_shifting": True,
}


def qwen_parts() -> dict[str, object]:
    """Return the parts of a Qwen-Image-Edit, but for the processor, which needs torchvision."""
    torch.manual_seed(0)
    words = chat_tokenizer()
    words.add_tokens(list(QWEN_SPECIAL), special_tokens=True)
    ids = {name: words.convert_tokens_to_ids(name) for name in QWEN_SPECIAL}
    channels = 4
    return {
        "scheduler": FlowMatchEulerDiscreteScheduler(**QWEN_NOISE),
        "tokenizer": words,
        "text_encoder": Qwen2_5_VLForConditionalGeneration(qwen_config(len(words), ids)).eval(),
        "vae": AutoencoderKLQwenImage(
            base_dim=channels * 6,
            z_dim=channels,
            dim_mult=[1, 2, 4],
            num_res_blocks=1,
            temperal_downsample=[False, True],
            latents_mean=[0.0] * channels,
            latents_std=[1.0] * channels,
        ),
        "transformer": QwenImageTransformer2DModel(
            patch_size=2,
            in_channels=4 * channels,
            out_channels=channels,
            num_layers=1,
            attention_head_dim=16,
            num_attention_heads=3,
            joint_attention_dim=16,
            guidance_embeds=False,
            axes_dims_rope=(8, 4, 4),
        ),
    }


def qwen_config(words: int, ids: dict[str, int]) -> Qwen2_5_VLConfig:
    rope = {"mrope_section": [1, 1, 2], "rope_type": "default", "rope_theta": 1000000.0}
    return Qwen2_5_VLConfig(
        text_config={
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "rope_parameters": {**rope, "type": "default"},
            "vocab_size": words,
        },
        vision_config={
            "depth": 2,
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_heads": 2,
            "out_hidden_size": 16,
        },
        hidden_size=16,
        vocab_size=words,
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
        vision_token_id=ids["<|image_pad|>"],
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
    )


class Processor(ProcessorMixin):
    """A stand-in for Qwen's processor, which needs torchvision: it has the one call that is made.

    Words and pictures in, tokens and patches out.
    """

    def __init__(self, image_processor: Qwen2VLImageProcessorPil, tokenizer: Qwen2Tokenizer):
        self.image_processor, self.tokenizer = image_processor, tokenizer

    @classmethod
    def of(cls, folder: Path) -> "Processor":
        """Read what it is made of from a model's folder, as the real one does."""
        return cls(
            Qwen2VLImageProcessorPil.from_pretrained(folder, local_files_only=True),
            Qwen2Tokenizer.from_pretrained(folder, local_files_only=True),
        )

    def __call__(self, text, images, padding=True, return_tensors="pt"):
        seen = self.image_processor(images=images, return_tensors=return_tensors)
        places = int(seen["image_grid_thw"][0].prod() // self.image_processor.merge_size**2)
        text = [each.replace("<|image_pad|>", "<|image_pad|>" * places) for each in text]
        words = self.tokenizer(text, padding=padding, return_tensors=return_tensors)
        return BatchFeature({**words, **seen})


def save_qwen(models: Path) -> None:
    """Save and lock a random Qwen-Image-Edit, laid out as the hub has it, and its Lightning."""
    model, parts = named("qwen-edit"), qwen_parts()
    folder = models / model.folder
    QwenImageEditPlusPipeline(**parts, processor=None).save_pretrained(folder)
    name_part(folder, "processor", "Qwen2VLProcessor")
    Qwen2VLImageProcessorPil(min_pixels=28 * 28, max_pixels=56 * 56).save_pretrained(
        folder / "processor"
    )
    parts["tokenizer"].save_pretrained(folder / "processor")
    lora = named("qwen-edit-lightning").parts[0]
    transformer = parts["transformer"]
    transformer.add_adapter(LoraConfig(r=2, target_modules=["to_q"], init_lora_weights=False))
    QwenImageEditPlusPipeline.save_lora_weights(
        models / lora.folder,
        transformer_lora_layers=get_peft_model_state_dict(transformer),
        weight_name=lora.source.file,
    )
    for each in models.iterdir():
        lock(each)


def name_part(folder: Path, name: str, kind: str) -> None:
    """Write a part of transformers into a saved model's index."""
    index = folder / "model_index.json"
    content = json.loads(index.read_text())
    index.write_text(json.dumps({**content, name: ["transformers", kind]}))


def controlnet(unet: UNet2DConditionModel) -> ControlNetModel:
    """Return a ControlNet for a UNet that has learnt to say something: a new one says nothing."""
    made = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(8, 16))
    for block in (*made.controlnet_down_blocks, made.controlnet_mid_block):
        torch.nn.init.normal_(block.weight, std=0.05)
    return made


def save_all(models: Path, *, faithful: bool) -> None:
    """Save and lock a model or a part for each folder of the registry that can be run here."""
    small, large = (
        {channels: make(channels, faithful=faithful) for channels in (4, 9)}
        for make in (small_parts, large_parts)
    )
    StableDiffusionImg2ImgPipeline(**small[4]).save_pretrained(models / "sd15")
    StableDiffusionInpaintPipeline(**small[9]).save_pretrained(models / "sd15-inpaint")
    StableDiffusionXLImg2ImgPipeline(**large[4]).save_pretrained(models / "sdxl")
    StableDiffusionXLInpaintPipeline(**large[9]).save_pretrained(models / "sdxl-inpaint")
    controlnet(small[4]["unet"]).save_pretrained(models / "sd15-tile-controlnet")
    controlnet(large[4]["unet"]).save_pretrained(models / "sdxl-tile-controlnet")
    Flux2KleinPipeline(**klein_parts(faithful=faithful)).save_pretrained(models / "klein")
    ZImagePipeline(**z_image_parts(faithful=faithful)).save_pretrained(models / "z-image-turbo")
    for folder in models.iterdir():
        lock(folder)


def declare(folder: Path, class_name: str) -> None:
    """Write another class name into a saved model's index."""
    index = folder / "model_index.json"
    content = json.loads(index.read_text())
    index.write_text(json.dumps({**content, "_class_name": class_name}))
