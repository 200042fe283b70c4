"""What the volunteer knows, worded for a model: the order is by what must not be cut off."""

from dataclasses import dataclass

from restoration.engine.generative.registry import Family
from restoration.engine.plan import Prompt

GUARD = {
    "redraw": "the same person, same face and expression, natural skin, original framing",
    "repair": "continues its surroundings seamlessly, same light and grain",
}
KIND = {"redraw": "a sharp old photograph", "repair": "an undamaged old photograph"}
NEGATIVE = (
    "changed face, beautified, plastic skin, painting, modern, text, watermark, "
    "low quality, blurry, weird textures, scratches, stains"
)


@dataclass(frozen=True)
class Wording:
    """The texts exactly as they are sent; negative is empty where the family does not read it."""

    prompt: str
    negative: str


def worded(prompt: Prompt | None, step: str, family: Family) -> Wording:
    """Put a structured prompt into one sentence, guard words included."""
    told = prompt or Prompt()
    setting = ", ".join(part.strip() for part in (told.place, told.period) if part.strip())
    keep = f"keep {told.keep.strip()} unchanged" if told.keep.strip() else ""
    parts = [KIND[step], told.words, told.who, *told.facts, keep, GUARD[step], setting]
    text = ", ".join(part.strip(" \n\t,.;") for part in parts if part.strip(" \n\t,.;"))
    return Wording(" ".join(text.split()), NEGATIVE if family.negative == "words" else "")


def foreign(text: str, family: Family) -> bool:
    """Say whether a text is largely in a script that an English-only encoder cannot read."""
    letters = [sign for sign in text if sign.isalpha()]
    strange = sum(not sign.isascii() and ord(sign) > 0x24F for sign in letters)
    return family.languages == ("en",) and strange > 0.3 * len(letters)
