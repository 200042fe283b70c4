"""The engine speaks in codes and facts; here they become sentences in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from archive.lifecycle import PhotoState
from archive.wording import SENTENCES as FILES
from archive.wording import sentence
from restoration.failures import OUR_FAULT, PROBLEMS, Sentence

# Why nobody works on a photo that somebody has in hand, by its state.
RESTS: dict[str, Sentence] = {
    PhotoState.ON_HOLD: _(
        "This photo is on hold, so nobody can work on it for now. Your draft and versions are kept."
    ),
    PhotoState.WITHDRAWN: _(
        "This photo has been withdrawn, so nobody works on it any more. Your draft and versions are"
        " kept."
    ),
}
# The same of a photo whose collection is only for its curators by now.
SHUT: Sentence = _(
    "This collection is closed to volunteers now, so you cannot work on this photo. Your draft and"
    " versions are kept."
)

STEPS: dict[str, Sentence] = {
    "assess": pgettext_lazy("step", "Look"),
    "descreen": pgettext_lazy("step", "Printing dots"),
    "tone": pgettext_lazy("step", "Tone"),
    "repair": pgettext_lazy("step", "Repair"),
    "denoise": pgettext_lazy("step", "Clean"),
    "redraw": pgettext_lazy("step", "Redraw"),
    "face": pgettext_lazy("step", "Faces"),
    "colourise": pgettext_lazy("step", "Colour"),
    "upscale": pgettext_lazy("step", "Enlarge"),
    "guard": pgettext_lazy("step", "Check"),
    # What a worker does around them.
    "read": pgettext_lazy("step", "Read the file"),
    "compare": pgettext_lazy("step", "Compare with the photo"),
    "retouch": pgettext_lazy("step", "Retouch by hand"),
    "load": pgettext_lazy("step", "Read the model"),
    "store": pgettext_lazy("step", "Keep the result"),
}
STEP_HELP: dict[str, Sentence] = {
    "descreen": _("Takes out the dots of a picture that came from a book or a newspaper."),
    "tone": _("Brings back faded lights and darks and takes away a colour cast."),
    "repair": _("Fills dust, scratches and what you paint; nothing else is touched."),
    "denoise": _("Takes away grain and noise; lines and faces stay."),
    "redraw": _("A model redraws fine detail with your words. The picture underneath stays."),
    "colourise": _(
        "Spreads the colours you place. The light and dark of the photo stay as they are."
    ),
    "upscale": _("Twice as wide and twice as high, for print."),
}
SETTINGS: dict[str, Sentence] = {
    "strength": pgettext_lazy("setting of a step", "Strength"),
    "cast": pgettext_lazy("setting of a step", "Colour cast taken away"),
    "sensitivity": pgettext_lazy("setting of a step", "How much counts as damage"),
    "grain": pgettext_lazy("setting of a step", "Grain kept"),
    "marks_only": pgettext_lazy("setting of a step", "Of what I paint, fill only the marks"),
    "faces": pgettext_lazy("setting of a step", "How much faces may change"),
    "passes": pgettext_lazy("setting of a step", "Passes (0: as the model was made)"),
    "control": pgettext_lazy("setting of a step", "How closely the model is held to the photo"),
    "reach": pgettext_lazy("setting of a step", "How far a colour spreads"),
    "guess": pgettext_lazy("setting of a step", "Colour guessed where nobody said one"),
    "sharpen": pgettext_lazy("setting of a step", "Sharpening"),
    "deblur": pgettext_lazy("setting of a step", "Sharpness the lens lost"),
    "deblock": pgettext_lazy("setting of a step", "Blocks of JPEG taken away"),
    "backend": pgettext_lazy("setting of a step", "Done by"),
    "model": pgettext_lazy("setting of a step", "Model"),
}
MASK_BY_HAND = pgettext_lazy(
    "where a step worked", "where a person marked damage, or let the machine's marks stand"
)
# Of a mask by hand, by whether only the marks in it were wanted.
FILLED: dict[bool, Sentence] = {
    True: pgettext_lazy("what a step did", "of what was painted, only the marks were filled"),
    False: pgettext_lazy("what a step did", "of what was painted, all was filled"),
}
BACKENDS: dict[str, Sentence] = {
    "embedded": pgettext_lazy("what runs a step", "Rekindle itself"),
    "generative": pgettext_lazy("what runs a step", "a generative model"),
    "hand": pgettext_lazy("what runs a step", "a person's hand"),
}
FIELDS: dict[str, Sentence] = {
    "period": pgettext_lazy("what a volunteer knows", "Period"),
    "place": pgettext_lazy("what a volunteer knows", "Place"),
    "who": pgettext_lazy("what a volunteer knows", "Who is on it"),
    "colours": pgettext_lazy("what a volunteer knows", "Known facts about colours"),
    "keep": pgettext_lazy("what a volunteer knows", "Must stay as it is"),
    "words": pgettext_lazy("what a volunteer knows", "Anything else"),
}
FIELD_HELP: dict[str, Sentence] = {
    "colours": _("One fact a line, and how you know it."),
    "keep": _("What a machine must not touch: a scar, a badge, a stamp."),
}
# What a volunteer says of a box around a face.
FACE_KINDS: dict[str, Sentence] = {
    "face": pgettext_lazy("of a box around a face", "protect"),
    "keep": pgettext_lazy("of a box around a face", "never redraw"),
    "not": pgettext_lazy("of a box around a face", "not a face"),
}
PLACEHOLDERS: dict[str, Sentence] = {
    "period": _("September 1974"),
    "place": _("Tehran, a stadium"),
    "who": _("three women of the shooting team"),
    "colours": _("tracksuits: red with white stripes (the museum has one)"),
    "keep": _("the scar over the left eye"),
    "words": _("a sunny morning, film grain"),
}
SWATCHES: tuple[tuple[str, Sentence], ...] = (
    ("#d8a88c", pgettext_lazy("colour", "skin in daylight")),
    ("#a8745a", pgettext_lazy("colour", "tanned skin")),
    ("#2a1f1a", pgettext_lazy("colour", "dark hair")),
    ("#b4252c", pgettext_lazy("colour", "flag red")),
    ("#c8102e", pgettext_lazy("colour", "tracksuit red")),
    ("#5a6238", pgettext_lazy("colour", "army green")),
    ("#1f3a5f", pgettext_lazy("colour", "navy blue")),
    ("#5b7fa6", pgettext_lazy("colour", "work-clothes blue")),
    ("#e9dfc6", pgettext_lazy("colour", "natural cotton")),
    ("#b9a27a", pgettext_lazy("colour", "khaki cloth")),
    ("#7a5233", pgettext_lazy("colour", "wood and leather")),
    ("#8f9aa3", pgettext_lazy("colour", "grey stone")),
    ("#4f7440", pgettext_lazy("colour", "leaves and grass")),
    ("#9fc3e0", pgettext_lazy("colour", "clear sky")),
)

# What happened on the way without being a failure, and what the assessment saw.
NOTES: dict[str, Sentence] = {
    "no-noise-found": _("Clean: there was no noise to take away."),
    "mask-empty": _("Repair: the mask was empty, so nothing was filled."),
    "marks-only": _(
        "Repair: of what you painted, the marks in it were filled, %(share)s %% of it. To fill all "
        "of it, untick “Of what I paint, fill only the marks”."
    ),
    "no-damage-found": _("Repair: no dust or scratch was found, so nothing was filled."),
    "wide-hole": _("Repair: a wide hole was filled smoothly. Look at it at 100 %%."),
    "prompt-cut": _(
        "The model reads only about %(most)s words. It was not sent all of: %(fields)s."
    ),
    "prompt-language": _("The model understands English only; write your words in English."),
    "prompt-languages": _(
        "The model understands English and Chinese only; write your words in one of them."
    ),
    "drawn-smaller": _(
        "Repair: a hole was too large for the model, so it was drawn at %(scale)s %% of its size "
        "and may look soft. Look at it at 100 %%."
    ),
    "worked-smaller-for-memory": _(
        "The machine had little memory and worked on a smaller picture."
    ),
    "realigned": _(
        "The file lay %(pixels)s pixels beside the photo at its worst corner, so it was laid back."
    ),
    "no-screen-found": _("Printing dots: there were none, so nothing was changed."),
    "tone-already-full": _("Tone: the tones were full already and were left alone."),
}
REASONS: dict[str, Sentence] = {
    "printed": _("Printing dots: this was printed in dots, which hide the picture like noise."),
    "faded": _("Tone: the photo is faded. Its darkest is at %(black)s, its lightest at %(white)s."),
    "strong-cast": _("Tone: the photo has a strong colour cast."),
    "dust-and-scratches": _("Repair: %(damage_spots)s specks and scratches were found."),
    "noisy": _(
        "Clean: there is noise of strength %(noise_sigma)s; from about 2.8 it hides the picture."
    ),
    "small": _("Enlarge: the scan is small, %(width)s by %(height)s pixels."),
}


# What the check at the end of every run found worth a look.
DOUBTS: dict[str, Sentence] = {
    "reframed": _("the whole picture was shifted, turned or zoomed"),
    "moved": _("something moved: it is not where the scan has it"),
    "invented": _("one place shows what the scan does not"),
    "smoothed": _("one place was smoothed more than the rest"),
    "erased": _("something the scan shows is gone"),
    "gone": _("one place was rubbed smooth and is not marked as a repair"),
    "soft": _("fine detail is softer all over than in the scan"),
    "large-fill": _("a large part was filled"),
    "face": _("a face may have changed"),
    "face-filled": _("part of a face was filled in; the scan cannot say whether it is right"),
    "face-shade": _("a face became lighter or darker than what is around it"),
}
EARLIER_DOUBTS: dict[str, Sentence] = {  # of versions that the first check judged
    "changed-area": _("more of the picture changed than cleaning explains"),
    "worst-block": _("one place looks different from the scan"),
    "too-much-detail": _("there is more fine detail than the scan has"),
}
METERS: dict[str, Sentence] = {
    "reframed": pgettext_lazy("meter of the check", "Frame shifted, at the farthest corner"),
    "moved": pgettext_lazy("meter of the check", "A detail moved, at the least"),
    "invented": pgettext_lazy("meter of the check", "Shown at one place but not in the scan"),
    "smoothed": pgettext_lazy("meter of the check", "Smoothed at one place more than elsewhere"),
    "erased": pgettext_lazy("meter of the check", "Taken away at one place"),
}
VERDICTS: dict[str, tuple[str, str, Sentence]] = {
    "pass": ("passed", "check", pgettext_lazy("verdict of the check", "same picture")),
    "review": ("review", "eye", pgettext_lazy("verdict of the check", "look closely")),
    "fail": ("failed", "alert", pgettext_lazy("verdict of the check", "changed too much")),
}
# What can be tried with less risk when the check says no; see engine.ladder.
RUNGS: dict[str, Sentence] = {
    "less-redraw": _("redraw less (strength %(strength)s)"),
    "faces-kept": _("leave faces as they are"),
    "held-closer": _("hold the model closer to the photo"),
    "gentler": _("half as strong"),
    "no-redraw": _("without the model"),
    "colour-only": _("only the colours"),
    "mask-only": _("only the repair"),
}
MAPS: dict[str, Sentence] = {
    "doubtful": pgettext_lazy("map over a version", "Where the check is in doubt"),
    "changed": pgettext_lazy("map over a version", "Changed beyond tone, grain and repair"),
    "repaired": pgettext_lazy("map over a version", "What was filled"),
    "coloured_evidence": pgettext_lazy("map over a version", "Colour from evidence"),
    "coloured_guess": pgettext_lazy("map over a version", "Colour that is guessed"),
    "damage": pgettext_lazy("map over a version", "Damage that was found"),
}
MAP_HELP: dict[str, Sentence] = {
    "doubtful": _("The check found more here than cleaning explains. Look at these places first."),
    "changed": _("The picture differs from the scan here, once both have the same tones."),
    "repaired": _("Damage was filled in here: what you see is made up from what lies around it."),
    "coloured_evidence": _("The colour here follows a colour that somebody placed or knew."),
    "coloured_guess": _("The colour here is guessed; nobody knows whether it was like this."),
}


# A plan keeps under "facts" what the bench asks for under "colours".
FACTS_FIELD = {"facts": "colours"}
SHARES = ("share", "most", "black", "white")
ENOUGH_NEAR = 2  # words that may be meant; with fewer, examples are told too


def doubt(code: str) -> str:
    """Why the check doubts, in a sentence; nothing for a code that nobody knows."""
    return str(DOUBTS.get(code) or EARLIER_DOUBTS.get(code) or "")


class _Facts(dict[str, Any]):
    """A sentence may ask for a fact that an older row does not have."""

    def __missing__(self, key: str) -> str:
        return "?"


def _told(sentence: Sentence, facts: Mapping[str, Any]) -> str:
    return str(sentence) % _Facts({name: _value(name, value) for name, value in facts.items()})


def _value(name: str, value: Any) -> str:
    if name == "step":
        return step(str(value))
    if name in ("setting", "field"):
        known = FACTS_FIELD.get(str(value), str(value))
        return str(SETTINGS.get(known) or FIELDS.get(known) or value)
    if name == "advised_pixels" and isinstance(value, int):
        return f"{value / 1e6:.2g}"
    if name in SHARES and isinstance(value, float):
        return f"{100 * value:.0f} %"
    if name == "fields" and isinstance(value, list | tuple):
        return ", ".join(str(FIELDS.get(FACTS_FIELD.get(each) or each, each)) for each in value)
    if name == "near":
        return _suggested(value)
    if name in ("got", "expected", "smallest", "largest") and isinstance(value, list | tuple):
        return " × ".join(str(each) for each in value)
    if isinstance(value, float):
        return f"{value:.3g}"
    return ", ".join(str(each) for each in value) if isinstance(value, list) else str(value)


def _suggested(words: Any) -> str:
    told = []
    if words:
        near = ", ".join(str(word) for word in words)
        told.append(str(_("Did you mean %(words)s?")) % {"words": near})
    if not words or len(words) < ENOUGH_NEAR:
        told.append(
            str(_("Say it with plain words, such as “dark red” or “grey-blue”, or pick it."))
        )
    return " ".join(told)


def step(name: str) -> str:
    """A step's name for people."""
    return str(STEPS.get(name, name))


def _shortage(facts: Mapping[str, Any]) -> str:
    """Which sentence on a lack of memory these facts fill."""
    is_known = facts.get("needs_gb", 0) > facts.get("has_gb", 0)
    if "advised_pixels" in facts:
        return "out-of-memory-size" if is_known else "out-of-memory-smaller"
    return "out-of-memory-model" if is_known else "out-of-memory"


def problem(code: str, facts: Mapping[str, Any] | None = None) -> str:
    """Why something was refused or failed, and what to do."""
    facts = facts or {}
    code = _shortage(facts) if code == "out-of-memory" else code
    # A file that cannot be read is told of by the archive; both know files that are too small.
    of_the_file = code in FILES and (code not in PROBLEMS or "limit" in facts)
    return sentence(code, facts) if of_the_file else _told(PROBLEMS.get(code, OUR_FAULT), facts)


def note(code: str, facts: Mapping[str, Any] | None = None) -> str:
    """What a step has to say about what it did; nothing when it is not worth a sentence."""
    return _told(NOTES[code], facts or {}) if code in NOTES else ""


def reason(code: str, facts: Mapping[str, Any] | None = None) -> str:
    """Why a step is suggested."""
    return _told(REASONS[code], facts or {}) if code in REASONS else ""


def rung(code: str, strength: float | None) -> str:
    """What a rung of the ladder would do otherwise."""
    return _told(RUNGS[code], {"strength": strength})


def swatch(colour: str) -> str:
    """The palette's name for a colour; nothing when it is not one of the palette."""
    return str(dict(SWATCHES).get(colour, ""))


def swatches() -> dict[str, str]:
    """The palette: colour by its name in the reader's language."""
    return {str(label): colour for colour, label in SWATCHES}
