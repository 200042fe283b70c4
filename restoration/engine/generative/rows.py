"""The models this engine can run, one row each; light enough for the web to read.

To add a model: one row in MODELS (and one in FAMILIES when it is the first of its kind), its name
in the engine's catalog, and a tiny one in tests/engine/generative/tiny.py.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Negative = Literal["words", "blank", "none"]


@dataclass(frozen=True)
class Licence:
    """Under what terms the weights may be used; `spdx` is an SPDX id or a LicenseRef."""

    spdx: str
    label: str
    commercial: bool
    url: str = ""


@dataclass(frozen=True)
class Source:
    """Where an operator fetches weights from: a repository of the hub.

    revision: a commit; empty where the first fetch pins what it finds. file: the one file that is
    wanted; empty for all that a pipeline is made of.
    """

    repository: str
    revision: str = ""
    file: str = ""


@dataclass(frozen=True)
class Part:
    """Weights in a folder of their own that a model puts onto its base.

    scale: how much a ControlNet says, or how strongly a LoRA is laid on.
    """

    kind: Literal["controlnet", "lora"]
    folder: str
    source: Source
    licence: Licence
    scale: float


@dataclass(frozen=True)
class Family:
    """What all models of one architecture share.

    multiple_of: both sides of what the model sees; max_pixels: the area it was made for;
    cell: pixels of it, across and down, of which a pipeline that repairs draws all or none;
    resizes: it brings what it repairs to a size of its own, so that its cells lie anywhere.
    least_side: what neither side may be below; most_ratio: of the long side to the other (0: any).
    dtype: what it runs in on a GPU; never: the dtypes that break it.
    cfg: name of the pipeline's guidance argument; negative: 'words' where it reads what shall not
    be there, 'blank' where its guidance is silently off unless it is handed something, 'none'.
    edits: it redraws the whole picture by an instruction and knows no strength; only its repairs
    are bounded. worded: 'tags' or 'sentences'; most_tokens: what its text encoder reads.
    distilled: made for just so many steps; flows: it was taught flows, which may be begun at any
    size of noise. batches: may draw several pictures in one call.
    latents: how a picture is kept while it is drawn, on a 'grid', in 'patches', or as a 'film'.
    languages: what its text encoder understands; needs: libraries beyond those all need.
    decode_bytes: memory to decode, a pixel and a byte of the dtype, as measured by InvokeAI.
    """

    name: str
    multiple_of: int
    guidance: float
    negative: Negative
    steps: int
    languages: tuple[str, ...]
    most_tokens: int
    max_pixels: int = 1024 * 1024
    least_side: int = 0
    most_ratio: int = 0
    cell: int = 8  # its autoencoder's
    resizes: bool = False
    dtype: str = "bfloat16"
    cfg: str = "guidance_scale"
    worded: Literal["tags", "sentences"] = "sentences"
    edits: bool = False
    distilled: bool = False
    flows: bool = False
    batches: bool = False
    never: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    latents: Literal["grid", "patches", "film"] = "grid"
    decode_bytes: int = 2200


@dataclass(frozen=True)
class Model:
    """One set of weights: where it lies, what it is declared to be, which steps it can do.

    folder: name below the models directory, where two models may share one; declared: the
    `_class_name`s its index may carry; pipelines: the diffusers class by step name; parts: what is
    put onto it; min_memory_gb: the smallest card it runs on, one part of it at a time there.
    steps, guidance: where they are not the family's; scheduler: what of its noise schedule's
    configuration is not as its base has it.
    """

    name: str
    label: str
    family: str
    folder: str
    declared: tuple[str, ...]
    pipelines: Mapping[str, str]
    licence: Licence
    min_memory_gb: float
    source: Source
    parts: tuple[Part, ...] = ()
    steps: int | None = None
    guidance: float | None = None
    scheduler: Mapping[str, Any] = field(default_factory=dict)

    @property
    def folders(self) -> tuple[str, ...]:
        """Every folder whose weights it is made of, the base first."""
        return (self.folder, *(part.folder for part in self.parts))

    @property
    def licences(self) -> tuple[Licence, ...]:
        """Each licence that binds who uses it, once."""
        return tuple(dict.fromkeys([self.licence, *(part.licence for part in self.parts)]))

    @property
    def licence_label(self) -> str:
        return " + ".join(licence.label for licence in self.licences)

    @property
    def commercial(self) -> bool:
        """Whether every part of it allows commercial use."""
        return all(licence.commercial for licence in self.licences)


APACHE = Licence("Apache-2.0", "Apache 2.0", True, "https://www.apache.org/licenses/LICENSE-2.0")
OPENRAIL_M = Licence(
    "LicenseRef-CreativeML-OpenRAIL-M",
    "CreativeML Open RAIL-M",
    True,
    "https://huggingface.co/spaces/CompVis/stable-diffusion-license",
)
OPENRAIL_PP = Licence(
    "LicenseRef-CreativeML-OpenRAIL-PlusPlus-M",
    "CreativeML Open RAIL++-M",
    True,
    "https://huggingface.co/stabilityai/stable-diffusion-xl-base-1.0/blob/main/LICENSE.md",
)

# The older kind, whose words CLIP reads; the smaller one differs by what it was made for.
STABLE_DIFFUSION = Family(
    name="sdxl",
    multiple_of=8,
    guidance=5.0,
    negative="words",
    steps=30,
    languages=("en",),
    most_tokens=77,
    worded="tags",
    batches=True,
)

FAMILIES: tuple[Family, ...] = (
    Family(
        name="klein",
        multiple_of=16,
        guidance=1.0,  # it was distilled to need none
        negative="none",
        steps=4,
        languages=("en", "zh"),
        most_tokens=512,
        least_side=64,
        most_ratio=8,
        edits=True,
        distilled=True,
        flows=True,
        latents="patches",
        cell=16,  # of two by two latents
    ),
    STABLE_DIFFUSION,
    Family(
        name="z-image",
        multiple_of=16,
        guidance=0.0,
        negative="none",
        steps=8,
        languages=("en", "zh"),
        most_tokens=512,
        distilled=True,
        flows=True,
        batches=True,
        never=("float16",),
    ),
    Family(
        name="qwen-edit",
        multiple_of=32,
        cfg="true_cfg_scale",
        guidance=4.0,
        negative="blank",
        steps=40,
        languages=("en", "zh"),
        most_tokens=512,
        edits=True,
        flows=True,
        needs=("torchvision",),
        latents="film",
        resizes=True,
        decode_bytes=2900,
    ),
    replace(STABLE_DIFFUSION, name="sd15", max_pixels=768 * 768, guidance=6.0),
)


def tile_network(folder: str, repository: str, licence: Licence) -> Part:
    """Return a network that holds a model to the picture, as firmly as it does unless asked."""
    return Part("controlnet", folder, Source(repository), licence, scale=0.8)


# Those that others below stand on: the same weights, with something put onto them.
SDXL = Model(
    name="sdxl",
    label="Stable Diffusion XL 1.0",
    family="sdxl",
    folder="sdxl",
    declared=("StableDiffusionXLPipeline", "StableDiffusionXLImg2ImgPipeline"),
    pipelines={
        "redraw": "StableDiffusionXLImg2ImgPipeline",
        "repair": "StableDiffusionXLInpaintPipeline",
    },
    licence=OPENRAIL_PP,
    min_memory_gb=10,
    source=Source("stabilityai/stable-diffusion-xl-base-1.0"),
)
QWEN_EDIT = Model(
    name="qwen-edit",
    label="Qwen-Image-Edit-2511",
    family="qwen-edit",
    folder="qwen-edit",
    declared=("QwenImageEditPlusPipeline",),
    pipelines={
        "redraw": "QwenImageEditPlusPipeline",
        "repair": "QwenImageEditInpaintPipeline",
        "colourise": "QwenImageEditPlusPipeline",
    },
    licence=APACHE,
    min_memory_gb=48,
    source=Source("Qwen/Qwen-Image-Edit-2511"),
)
SD15 = Model(
    name="sd15",
    label="Stable Diffusion 1.5",
    family="sd15",
    folder="sd15",
    declared=("StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline"),
    pipelines={
        "redraw": "StableDiffusionImg2ImgPipeline",
        "repair": "StableDiffusionInpaintPipeline",
    },
    licence=OPENRAIL_M,
    min_memory_gb=4,
    source=Source("stable-diffusion-v1-5/stable-diffusion-v1-5"),
)

# Where several can do a step, the first one that is there is taken.
MODELS: tuple[Model, ...] = (
    Model(
        name="klein",
        label="FLUX.2 klein 4B",
        family="klein",
        folder="klein",
        declared=("Flux2KleinPipeline",),
        pipelines={
            "redraw": "Flux2KleinPipeline",
            "repair": "Flux2KleinInpaintPipeline",
            "colourise": "Flux2KleinPipeline",
        },
        licence=APACHE,
        min_memory_gb=12,
        source=Source("black-forest-labs/FLUX.2-klein-4B"),
    ),
    Model(
        name="sdxl-inpaint",
        label="Stable Diffusion XL Inpainting 0.1",
        family="sdxl",
        folder="sdxl-inpaint",
        declared=("StableDiffusionXLInpaintPipeline",),
        pipelines={"repair": "StableDiffusionXLInpaintPipeline"},
        licence=OPENRAIL_PP,
        min_memory_gb=10,
        source=Source("diffusers/stable-diffusion-xl-1.0-inpainting-0.1"),
    ),
    replace(
        SDXL,
        name="sdxl-tile",
        label="Stable Diffusion XL 1.0 + Tile",
        pipelines={
            "redraw": "StableDiffusionXLControlNetImg2ImgPipeline",
            "repair": "StableDiffusionXLControlNetInpaintPipeline",
        },
        min_memory_gb=12,
        parts=(tile_network("sdxl-tile-controlnet", "xinsir/controlnet-tile-sdxl-1.0", APACHE),),
    ),
    SDXL,
    Model(
        name="z-image-turbo",
        label="Z-Image-Turbo",
        family="z-image",
        folder="z-image-turbo",
        declared=("ZImagePipeline", "ZImageImg2ImgPipeline"),
        pipelines={"redraw": "ZImageImg2ImgPipeline", "repair": "ZImageInpaintPipeline"},
        licence=APACHE,
        min_memory_gb=16,
        source=Source("Tongyi-MAI/Z-Image-Turbo"),
    ),
    replace(
        QWEN_EDIT,
        name="qwen-edit-lightning",
        label="Qwen-Image-Edit-2511 + Lightning",
        parts=(
            Part(
                "lora",
                "qwen-edit-lightning",
                Source(
                    "lightx2v/Qwen-Image-Edit-2511-Lightning",
                    file="Qwen-Image-Edit-2511-Lightning-4steps-V1.0-bf16.safetensors",
                ),
                APACHE,
                scale=1.0,
            ),
        ),
        steps=4,
        guidance=1.0,
        # It was distilled at these four sizes of noise: 1, 0.9, 0.75 and 0.5.
        scheduler={"base_shift": math.log(3), "max_shift": math.log(3), "shift_terminal": None},
    ),
    QWEN_EDIT,
    Model(
        name="sd15-inpaint",
        label="Stable Diffusion 1.5 Inpainting",
        family="sd15",
        folder="sd15-inpaint",
        declared=("StableDiffusionInpaintPipeline",),
        pipelines={"repair": "StableDiffusionInpaintPipeline"},
        licence=OPENRAIL_M,
        min_memory_gb=4,
        source=Source("stable-diffusion-v1-5/stable-diffusion-inpainting"),
    ),
    replace(
        SD15,
        name="sd15-tile",
        label="Stable Diffusion 1.5 + Tile",
        pipelines={
            "redraw": "StableDiffusionControlNetImg2ImgPipeline",
            "repair": "StableDiffusionControlNetInpaintPipeline",
        },
        min_memory_gb=5,
        parts=(
            tile_network("sd15-tile-controlnet", "lllyasviel/control_v11f1e_sd15_tile", OPENRAIL_M),
        ),
    ),
    SD15,
)
