"""What the volunteer knows, worded for a model; what it cannot read to the end is told.

Three ways of speaking: *tags* for the CLIP encoders of Stable Diffusion, a *description* for models
that read sentences, and an *instruction* for models that edit, which says only what shall change
and what shall stay. Words like "cinematic", "8k" or "skin pore detailing" are left out on purpose:
they are how a face becomes an influencer's.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from restoration.engine.generative.rows import Family
from restoration.engine.plan import Prompt

NEGATIVE = (
    "changed face, beautified, plastic skin, painting, modern, text, watermark, "
    "low quality, blurry, weird textures, scratches, stains"
)
BLANK = " "  # some pipelines are guided only when they are handed a negative prompt
LEAST_FIRST = ("period", "place", "words", "who", "keep", "facts")
GAP = re.compile(r"[\s，。；、,;:：]+")
SOURCE = re.compile(r"\s*[(（]([^()（）]*)[)）]\s*$")
BRACKET = re.compile(r"[(（]")
WHICH = re.compile(r"[^\W\u3400-\u9fff]+|[\u3400-\u9fff]{1,2}")  # "left", "左边": of a place
HAN = re.compile(r"[\u3400-\u9fff]")
UNREAD = 0.3  # share of a text's letters from which it is of another script
LATIN = 0x24F  # the last of its letters
ENDS = " \n\t,.;，。；、"
TEMPLATE = 40  # tokens that a chat template puts around what is said

Count = Callable[[str], int]
Cut = tuple[int, int]
Pieces = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Wording:
    """The texts exactly as they are sent, beside what they were made of.

    negative: what shall not be there, '' where the family does not read it; fields: what was told,
    by field; left_out: the fields of which not every word was sent; language: of the frame;
    foreign: some of what was told is in a script that the model does not read.
    """

    prompt: str
    negative: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    language: str = "en"
    foreign: bool = False


@dataclass(frozen=True)
class Frame:
    """Pairs of a field and how it is said, what stands among facts and between pieces.

    What belongs to no field is said always.
    """

    pieces: Pieces
    among: str = ", "
    between: str = ", "


TAGS: dict[str, Pieces] = {
    "redraw": (
        ("", "a sharp old photograph"),
        ("words", "{}"),
        ("who", "{}"),
        ("facts", "{}"),
        ("keep", "keep {} unchanged"),
        ("", "the same person, same face and expression, natural skin, original framing"),
        ("place", "{}"),
        ("period", "{}"),
    ),
    "repair": (
        ("", "an undamaged old photograph"),
        ("words", "{}"),
        ("who", "{}"),
        ("facts", "{}"),
        ("keep", "keep {} unchanged"),
        ("", "continues its surroundings seamlessly, same light and grain"),
        ("place", "{}"),
        ("period", "{}"),
    ),
}
TOLD: dict[str, Pieces] = {
    "en": (
        ("who", "It shows {}."),
        ("words", "{}."),
        ("place", "Place: {}."),
        ("period", "Time: {}."),
        ("facts", "Known facts: {}."),
    ),
    "zh": (
        ("who", "照片中是{}。"),
        ("words", "{}。"),
        ("place", "地点：{}。"),
        ("period", "时间：{}。"),
        ("facts", "已知事实：{}。"),
    ),
}
AMONG, BETWEEN = {"en": "; ", "zh": "；"}, {"en": " ", "zh": ""}
KEEP = {"en": "Keep exactly as it is: {}.", "zh": "以下内容保持原样：{}。"}
DESCRIBED: dict[tuple[str, str], tuple[str, str]] = {
    ("redraw", "en"): (
        "A sharp, well kept old photograph.",
        "Natural faces with the same features and expressions, natural skin, fine film grain, "
        "the original framing and light.",
    ),
    ("redraw", "zh"): (
        "一张清晰、保存完好的老照片。",
        "人物五官和表情不变，皮肤自然，有细腻的胶片颗粒，构图和光线与原照一致。",
    ),
    ("repair", "en"): (
        "An undamaged old photograph.",
        "Everything continues its surroundings seamlessly, with the same light and film grain.",
    ),
    ("repair", "zh"): (
        "一张没有损伤的老照片。",
        "各处与周围自然衔接，光线和胶片颗粒一致。",
    ),
}
SAME = {
    "en": (
        "Keep every person the same: same face, expression, age, pose, hair and clothes; do not "
        "beautify anybody and do not smooth skin. Do not move, crop or add anything; keep the "
        "framing and the light."
    ),
    "zh": (
        "每个人必须还是同一个人：面部、表情、年龄、姿势、发型和衣着都不变；不要美颜，不要磨皮。"
        "不要移动、裁剪或添加任何东西，保持构图和光线。"
    ),
}
INSTRUCTED: dict[tuple[str, str], tuple[str, str]] = {
    ("redraw", "en"): (
        "Restore this old photograph: make it clear and sharp, with the fine detail and film "
        "grain that it had.",
        SAME["en"] + " Do not change the colours.",
    ),
    ("redraw", "zh"): (
        "修复这张老照片：让它清晰锐利，恢复原有的细节和胶片颗粒。",
        SAME["zh"] + "不要改变颜色。",
    ),
    ("repair", "en"): (
        "Repair the damage in this old photograph: what was lost continues its surroundings "
        "seamlessly, with the same light, sharpness and film grain.",
        SAME["en"] + " Add no new object or person.",
    ),
    ("repair", "zh"): (
        "修补这张老照片的损伤：缺失之处与周围自然衔接，光线、清晰度和胶片颗粒一致。",
        SAME["zh"] + "不要添加新的物体或人物。",
    ),
    ("colourise", "en"): (
        "Colourise this black-and-white photograph with natural, muted colours of its time.",
        "Change nothing but the colour. " + SAME["en"],
    ),
    ("colourise", "zh"): (
        "为这张黑白照片上色，使用那个年代自然、柔和的颜色。",
        "除颜色外什么都不要改变。" + SAME["zh"],
    ),
}


def worded(prompt: Prompt | None, step: str, family: Family, count: Count | None = None) -> Wording:
    """Put a structured prompt into the family's words, guard words included.

    `count` says how many tokens a text is to the model; what is too long is shortened field by
    field, the least telling first, and never a guard word.
    """
    told = prompt or Prompt()
    fields = sayable(told)
    texts = [text for texts in fields.values() for text in texts]
    language = language_of(" ".join(texts), family)
    frame = frame_of(step, family, language)
    room = family.most_tokens - (TEMPLATE if family.worded == "sentences" else 0)
    sent, left_out = fitted(frame, fields, count, room)
    negative = {"words": NEGATIVE, "blank": BLANK, "none": ""}[family.negative]
    unread = any(foreign(text, family) for text in texts)
    return Wording(sent, negative, told.to_json(), left_out, language, unread)


def sayable(told: Prompt) -> dict[str, list[str]]:
    """Return what was told, by field, without how anybody knows it and without loose ends."""
    given = {name: [getattr(told, name)] for name in ("period", "place", "words", "who", "keep")}
    given["facts"] = [without_source(fact) for fact in told.facts]
    tidy = {
        name: [" ".join(text.split()).strip(ENDS) for text in texts]
        for name, texts in given.items()
    }
    return {name: [text for text in texts if text] for name, texts in tidy.items()}


def without_source(fact: str) -> str:
    """Return a fact without the brackets at its end that say how somebody knows it.

    Brackets that say of what it is so are no source: where there are several, or where they hold
    one word.
    """
    last = SOURCE.search(fact)
    if last is None or len(BRACKET.findall(fact)) > 1 or WHICH.fullmatch(last[1].strip()):
        return fact
    return fact[: last.start()]


def language_of(text: str, family: Family) -> str:
    """Return the language of the frame: Chinese for Chinese words, where the model reads it."""
    chinese = share_of(text, lambda sign: HAN.match(sign) is not None) > UNREAD
    return "zh" if "zh" in family.languages and chinese else "en"


def frame_of(step: str, family: Family, language: str) -> Frame:
    if family.worded == "tags":
        return Frame(TAGS[step])
    begin, end = (INSTRUCTED if family.edits else DESCRIBED)[step, language]
    pieces = (("", begin), *TOLD[language], ("keep", KEEP[language]), ("", end))
    return Frame(pieces, AMONG[language], BETWEEN[language])


def fitted(
    frame: Frame, fields: Mapping[str, list[str]], count: Count | None, room: int
) -> tuple[str, tuple[str, ...]]:
    """Return the text, and which fields lost words so that it is of `room` tokens at most."""
    kept = {name: list(texts) for name, texts in fields.items()}
    lost: list[str] = []

    def fit(name: str, texts: list[str]) -> bool:
        return count is None or count(said(frame, {**kept, name: texts})) <= room

    for name in (name for name in LEAST_FIRST if kept[name]):
        if not lost and fit(name, kept[name]):
            break
        lost.append(name)
        if fit(name, []):
            kept[name] = shortened(kept[name], partial(fit, name))
            break
        kept[name] = []
    return said(frame, kept), tuple(lost)


def shortened(texts: list[str], fit: Callable[[list[str]], bool]) -> list[str]:
    """Return as many words of a field as fit, by halves: counting a long text takes long."""
    ends = cuts(texts)
    least = bisect_left(ends[:-1], True, key=lambda end: fit(cut(texts, end)))
    return cut(texts, ends[least])


def cuts(texts: list[str]) -> list[Cut]:
    """Return where texts may end, the last place first: in which of them, after so many signs.

    That is before a word; in Chinese before a clause. The last one leaves nothing.
    """
    found = []
    for index in reversed(range(len(texts))):
        gaps = [gap.start() for gap in GAP.finditer(texts[index]) if gap.start()]
        found += [(index, end) for end in (*reversed(gaps), 0)]
    return found


def cut(texts: list[str], end: Cut) -> list[str]:
    index, signs = end
    rest = texts[index][:signs].strip(ENDS)
    return [*texts[:index], rest] if rest else texts[:index]


def said(frame: Frame, fields: Mapping[str, list[str]]) -> str:
    """Return a frame with its fields filled in; what nobody told is not mentioned."""
    pieces = [
        form.format(frame.among.join(fields[name])) if name else form
        for name, form in frame.pieces
        if not name or fields[name]
    ]
    return frame.between.join(pieces)


def share_of(text: str, is_one: Callable[[str], bool]) -> float:
    """Return how many of a text's letters are such ones, in [0, 1]."""
    letters = [sign for sign in text if sign.isalpha()]
    return sum(map(is_one, letters)) / max(1, len(letters))


def foreign(text: str, family: Family) -> bool:
    """Say whether what was told is largely in a script that the model's encoder does not read."""
    reads_chinese = "zh" in family.languages

    def strange(sign: str) -> bool:
        return ord(sign) > LATIN and not (reads_chinese and HAN.match(sign))

    return share_of(text, strange) > UNREAD
