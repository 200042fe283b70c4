"""Looks at a scan and says what it is, and which recipe would not make it worse."""

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from scipy import ndimage

from restoration.engine import damage, faces, fading, measure
from restoration.engine.catalog import CALM_FROM
from restoration.engine.image import SMALLEST_SIDE, check_image, long_side, resize_mask, shrink
from restoration.engine.step import Image, Mask, StepContext, StepResult
from restoration.engine.steps import descreen

LONG_SIDE = 2400  # larger scans are measured at this size
FADED = 0.03  # share of the contrast lost, below which nobody sees that a print has faded
CALM = {"strength": 0.75, "grain": 0.2}  # six tenths of the noise go, the rest is the print's own


@dataclass(frozen=True)
class Assessment:
    """What was found. Noise and grain are on the 0-255 scale, luma percentiles on [0, 1], cast in
    Lab units, damage_area and picture_area are shares; faces are boxes in fractions. fading is the
    share of its contrast that the print has lost, tone the strength that gives it back; screen how
    far the dots of a printing press stand out, 0 for a photograph."""

    width: int
    height: int
    noise_sigma: float
    grain_sigma: float
    sharpness: float
    black: float
    white: float
    fading: float
    tone: float
    cast_a: float
    cast_b: float
    grey: bool
    sepia: bool
    monochrome: bool
    screen: float
    damage_area: float
    damage_spots: int
    damage: str
    picture_area: float
    faces: list[faces.Box]
    suggestion: list[dict[str, Any]]
    mask: Mask = field(repr=False, compare=False)

    def to_json(self) -> dict[str, Any]:
        told = asdict(self)
        del told["mask"]
        told["faces"] = [list(box) for box in self.faces]
        return told


def assess(image: Image) -> Assessment:
    """Measures a float32 HxWx3 RGB picture in [0, 1]; about 1.5 s a megapixel, deterministic.

    BadInput at the door. The mask (uint8 HxW) is the damage that was found.
    """
    height = 0.0
    screens = descreen.found(check_image(image))
    if any(screens):
        # What is left is looked at as the other steps will find it.
        height = max(each.height for each in screens if each)
        image = descreen.without(image, screens, 1.0)
    longest = long_side(image.shape, LONG_SIDE)
    small = np.clip(shrink(image, longest, SMALLEST_SIDE), 0, 1)
    light, inside = measure.luma_and_inside(small)
    tones, cast = measure.tones(light, inside), measure.cast(small, inside)
    faded = fading.measured(small, inside, cast)
    fine = measure.noise_sigma(light, inside)
    boxes = faces.find(light)
    found = damage.find(small, light, inside, boxes)
    area, spots = float((found > 0).mean()), int(ndimage.label(found)[1])
    facts: dict[str, Any] = {
        "width": image.shape[1],
        "height": image.shape[0],
        "noise_sigma": round(measure.noise([(light[..., None], inside)]).sigma, 2),
        "grain_sigma": round(measure.grain_sigma(light, inside), 2),
        "sharpness": round(measure.sharpness(light, fine, inside), 3),
        "black": round(tones.p01, 4),
        "white": round(tones.p99, 4),
        "fading": round(faded.loss, 3),
        "tone": round(faded.strength, 2),
        "cast_a": round(cast.a, 2),
        "cast_b": round(cast.b, 2),
        "grey": cast.grey,
        "sepia": cast.sepia,
        "monochrome": cast.monochrome,
        "screen": round(height, 2),
        "damage_area": round(area, 6),
        "damage_spots": spots,
        "damage": _level(area, spots, light.size),
        "picture_area": round(float(inside.mean()), 4),
    }
    return Assessment(
        faces=boxes,
        suggestion=suggest(facts),
        mask=resize_mask(found, *image.shape[:2]),
        **facts,
    )


def _level(area: float, spots: int, size: int) -> str:
    """A few specks may be pebbles; damage comes in numbers, or it is large."""
    density = spots / (size / 1e6)
    if spots >= 80 and (density >= 80 or area > 0.004):
        return "heavy"
    many = spots >= 6 and (density >= 12 or spots >= 15)
    return "some" if many or area > 0.002 else "none"


def suggest(facts: dict[str, Any]) -> list[dict[str, Any]]:
    """Steps with settings and the code of the reason; nothing that the scan does not ask for."""
    rows = [_descreen(facts), _tone(facts), _repair(facts), _denoise(facts), _upscale(facts)]
    return [row for row in rows if row is not None]


def _descreen(facts: dict[str, Any]) -> dict[str, Any] | None:
    """What was printed in dots is read as noise otherwise, and cleaned in patches."""
    return _row("descreen", {}, "printed", facts, ("screen",)) if facts["screen"] else None


def _tone(facts: dict[str, Any]) -> dict[str, Any] | None:
    """As much contrast as the print has surely lost; a sound one, or one of a scene that has no
    black or no white, is left alone. What looks like a cast on a colour picture may be a red door
    or a meadow, and no measure tells: there it is the volunteer's to see."""
    faded = facts["fading"] >= FADED
    tinted = abs(facts["cast_b"]) > 22 or abs(facts["cast_a"]) > 12
    strong = tinted and (facts["monochrome"] or facts["sepia"])
    if not faded and not strong:
        return None
    settings = {"strength": facts["tone"] if faded else 0.0, "cast": 0.3 if strong else 0.0}
    reason = "faded" if faded else "strong-cast"
    return _row("tone", settings, reason, facts, ("black", "white", "cast_a", "cast_b"))


def _repair(facts: dict[str, Any]) -> dict[str, Any] | None:
    if facts["damage"] == "none":
        return None
    settings = {"sensitivity": 0.4}
    return _row("repair", settings, "dust-and-scratches", facts, ("damage_spots", "damage_area"))


def _denoise(facts: dict[str, Any]) -> dict[str, Any] | None:
    """Grain is part of an old photograph; only what hides the picture, or would once it has its
    contrast back, is calmed. Less than CALM leaves faintly aged prints worse than they were."""
    noise = facts["noise_sigma"] * (1 + 1 / (1 - facts["fading"])) / 2
    if noise < CALM_FROM:
        return None
    return _row("denoise", {**CALM}, "noisy", facts, ("noise_sigma", "grain_sigma"))


def _upscale(facts: dict[str, Any]) -> dict[str, Any] | None:
    if max(facts["width"], facts["height"]) >= 500:
        return None
    return _row("upscale", {"sharpen": 0.0}, "small", facts, ("width", "height"))


def _row(
    step: str, settings: dict[str, Any], reason: str, facts: dict[str, Any], told: tuple[str, ...]
) -> dict[str, Any]:
    return {
        "step": step,
        "settings": settings,
        "reason": reason,
        "facts": {name: facts[name] for name in told},
    }


def run(context: StepContext, settings: dict[str, Any]) -> StepResult:
    """Changes nothing; the meters hold the assessment and the map `damage` what was found."""
    found = assess(context.image)
    return StepResult(context.image, maps={"damage": found.mask}, meters=found.to_json())
