"""Colour words in English and simplified Chinese, as people write them under photographs.

`parse` gives an sRGB triple of 0-255; what the engine uses of it is the chroma (`chroma`), never
the brightness, which the photograph knows better.
"""

import difflib
import re

from restoration.engine.errors import BadInput

RGB = tuple[int, int, int]
LUMA = (0.299, 0.587, 0.114)

ENGLISH: dict[str, RGB] = {
    "red": (196, 30, 38), "scarlet": (214, 36, 24), "crimson": (170, 16, 50),
    "vermilion": (220, 66, 40), "maroon": (112, 22, 30), "burgundy": (112, 20, 42),
    "wine": (114, 28, 48), "brick": (160, 72, 54), "rust": (168, 78, 38),
    "coral": (236, 120, 96), "salmon": (236, 142, 122), "pink": (232, 150, 170),
    "rose": (214, 90, 120), "magenta": (190, 40, 130), "orange": (226, 122, 30),
    "apricot": (240, 180, 132), "peach": (244, 196, 160), "amber": (222, 152, 34),
    "yellow": (232, 202, 50), "gold": (204, 164, 60), "ochre": (190, 132, 52),
    "mustard": (196, 158, 48), "straw": (220, 200, 130), "cream": (240, 228, 196),
    "ivory": (240, 234, 212), "beige": (216, 198, 164), "sand": (206, 182, 138),
    "khaki": (164, 148, 104), "tan": (192, 154, 110), "buff": (208, 176, 122),
    "brown": (112, 74, 46), "chestnut": (124, 68, 44), "chocolate": (84, 52, 34),
    "coffee": (98, 70, 50), "umber": (96, 76, 54), "sepia": (116, 86, 56),
    "bronze": (144, 106, 56), "copper": (178, 104, 62), "leather": (138, 92, 58),
    "wood": (140, 100, 62), "skin": (216, 168, 140), "green": (48, 132, 62),
    "olive": (108, 110, 54), "lime": (150, 190, 50), "emerald": (26, 142, 92),
    "jade": (60, 150, 112), "grass": (88, 138, 54), "forest": (40, 92, 52),
    "moss": (104, 122, 66), "mint": (156, 212, 180), "teal": (28, 122, 122),
    "turquoise": (54, 178, 172), "cyan": (40, 176, 200), "aqua": (90, 196, 200),
    "blue": (42, 84, 172), "navy": (28, 42, 88), "azure": (60, 138, 212),
    "cobalt": (30, 74, 158), "indigo": (54, 52, 124), "sky": (128, 178, 222),
    "denim": (62, 92, 136), "royal": (48, 78, 176), "steel": (98, 120, 142),
    "slate": (96, 108, 122), "purple": (112, 52, 134), "violet": (122, 74, 162),
    "lilac": (188, 158, 206), "lavender": (186, 174, 220), "mauve": (170, 130, 160),
    "plum": (112, 48, 92), "grey": (128, 128, 128), "gray": (128, 128, 128),
    "silver": (186, 188, 192), "charcoal": (62, 64, 66), "black": (20, 20, 20),
    "white": (246, 246, 246),
}  # fmt: skip

ENGLISH_PHRASES: dict[str, RGB] = {
    "army green": (88, 96, 58), "military green": (88, 96, 58), "olive drab": (98, 98, 52),
    "sky blue": (128, 178, 222), "navy blue": (28, 42, 88), "royal blue": (48, 78, 176),
    "steel blue": (82, 118, 156), "ice blue": (176, 210, 226), "baby blue": (160, 200, 230),
    "wine red": (114, 28, 48), "brick red": (160, 60, 48), "blood red": (138, 14, 20),
    "off white": (240, 236, 224), "rose red": (202, 40, 88), "lemon yellow": (240, 224, 70),
    "bottle green": (24, 78, 58), "sea green": (58, 140, 110), "grass green": (88, 138, 54),
    "horizon blue": (132, 156, 172), "field grey": (104, 110, 100),
}  # fmt: skip

CHINESE: dict[str, RGB] = {
    "红": (196, 30, 38), "赤": (184, 40, 32), "朱": (214, 66, 44), "橙": (226, 122, 30),
    "橘": (230, 128, 44), "黄": (232, 202, 50), "绿": (48, 132, 62), "青": (40, 130, 130),
    "蓝": (42, 84, 172), "靛": (54, 52, 124), "紫": (112, 52, 134), "粉": (232, 150, 170),
    "棕": (112, 74, 46), "褐": (104, 74, 52), "灰": (128, 128, 128), "黑": (20, 20, 20),
    "白": (246, 246, 246), "金": (204, 164, 60), "银": (186, 188, 192), "米": (232, 220, 190),
    "茶": (134, 94, 56), "驼": (178, 140, 96),
}  # fmt: skip

CHINESE_PHRASES: dict[str, RGB] = {
    "大红": (206, 24, 30), "朱红": (214, 66, 44), "枣红": (118, 26, 36), "酒红": (114, 28, 48),
    "砖红": (160, 72, 54), "橘红": (226, 88, 42), "橙红": (226, 88, 42), "玫红": (202, 40, 88),
    "玫瑰红": (202, 40, 88), "粉红": (232, 150, 170), "桃红": (226, 98, 136),
    "紫红": (146, 34, 92), "铁锈": (168, 78, 38), "珊瑚": (236, 120, 96), "橘黄": (232, 156, 44),
    "橙黄": (232, 156, 44), "土黄": (184, 140, 70), "米黄": (232, 216, 170),
    "杏黄": (236, 178, 96), "杏": (240, 180, 132), "柠檬黄": (240, 224, 70),
    "姜黄": (204, 154, 52), "金黄": (222, 172, 46), "鹅黄": (240, 220, 110),
    "卡其": (164, 148, 104), "咖啡": (98, 70, 50), "巧克力": (84, 52, 34), "古铜": (144, 106, 56),
    "军绿": (88, 96, 58), "草绿": (88, 138, 54), "墨绿": (24, 74, 54), "橄榄绿": (108, 110, 54),
    "橄榄": (108, 110, 54), "翠绿": (26, 142, 92), "豆绿": (150, 180, 116),
    "果绿": (156, 196, 90), "嫩绿": (150, 200, 90), "苹果绿": (156, 196, 90),
    "薄荷绿": (156, 212, 180), "湖绿": (60, 160, 140), "青绿": (40, 146, 120),
    "黄绿": (150, 170, 54), "藏青": (30, 40, 76), "藏蓝": (30, 40, 84), "海军蓝": (28, 42, 88),
    "天蓝": (128, 178, 222), "湖蓝": (64, 156, 190), "宝蓝": (40, 72, 176),
    "靛蓝": (46, 62, 124), "孔雀蓝": (18, 116, 142), "钴蓝": (30, 74, 158), "钢蓝": (82, 118, 156),
    "月白": (214, 226, 232), "牛仔蓝": (62, 92, 136), "青莲": (112, 64, 150),
    "雪青": (176, 164, 210), "丁香": (188, 158, 206), "象牙白": (240, 234, 212),
    "象牙": (240, 234, 212), "米白": (240, 234, 216), "乳白": (240, 234, 220),
    "肤": (216, 168, 140), "肉": (222, 176, 148), "木": (140, 100, 62), "炭灰": (62, 64, 66),
}  # fmt: skip

ENGLISH_MODIFIERS = {
    "light": "light", "pale": "light", "soft": "light", "pastel": "light", "dark": "dark",
    "deep": "dark", "bright": "vivid", "vivid": "vivid", "strong": "vivid", "dull": "dull",
    "muted": "dull", "faded": "dull", "dusty": "dull", "dirty": "dull", "medium": "",
}  # fmt: skip
CHINESE_MODIFIERS = {
    "浅": "light", "淡": "light", "嫩": "light", "深": "dark", "暗": "dark", "墨": "dark",
    "亮": "vivid", "鲜": "vivid", "艳": "vivid", "大": "vivid", "旧": "dull", "中": "",
    "正": "",
}  # fmt: skip
LONGEST_WORD = 40
PLAIN_CHINESE = "红橙黄绿青蓝紫棕褐灰黑白"  # signs that mean a colour without 色 after them too


def parse(word: str) -> RGB:
    """The colour a word names ("grey-blue", "dark red", "土黄", "#8a2f1b") as sRGB 0-255; BadInput
    `unknown-colour` with near suggestions when it names none."""
    plain = " ".join(re.sub(r"[-_/,]", " ", word.strip().lower()).split())
    if not plain or len(plain) > LONGEST_WORD:
        raise BadInput("unknown-colour", {"word": word[:LONGEST_WORD], "near": []})
    found = _hex(plain) or _chinese(plain) or _english(plain)
    if found is None:
        raise BadInput("unknown-colour", {"word": word, "near": near(plain)})
    return found


def near(word: str) -> list[str]:
    """Up to three known words that look like this one."""
    if any("\u4e00" <= sign <= "\u9fff" for sign in word):
        known = [*CHINESE_PHRASES, *CHINESE]
        sharing = [name for name in known if set(name) & set(word)]
        return sorted(sharing, key=lambda name: -len(set(name) & set(word)))[:3]
    return difflib.get_close_matches(word, [*ENGLISH_PHRASES, *ENGLISH], n=3, cutoff=0.5)


def within(text: str) -> list[tuple[str, RGB]]:
    """Return the colours a sentence names, each once and as it names them: "the tracksuits are
    dark red with white stripes" has dark red and white."""
    found: dict[str, RGB] = {}
    for clause in re.split(r"[^\w\s-]+", text.lower()):
        if any("\u4e00" <= sign <= "\u9fff" for sign in clause):
            found |= _within_chinese(clause)
        else:
            found |= _within_english(re.findall(r"[a-z]+", clause))
    return list(found.items())


def _within_english(words: list[str]) -> dict[str, RGB]:
    """The longest runs of up to four words that name a colour and hold no other word."""
    found: dict[str, RGB] = {}
    start = 0
    while start < len(words):
        for end in range(min(len(words), start + 4), start, -1):
            run = words[start:end]
            named = None if {"and", "very", "coloured", "colored"} & set(run) else _named(run)
            if named is not None:
                found[" ".join(run)] = named
                start = end - 1
                break
        start += 1
    return found


def _named(run: list[str]) -> RGB | None:
    return None if set(run) <= set(ENGLISH_MODIFIERS) else _english(" ".join(run))


def _within_chinese(clause: str) -> dict[str, RGB]:
    """Known words, with what makes them dark or light; a sign alone must be a colour and no metal.

    In 金牌 there is a medal and in 三米 there is a length.
    """
    known = sorted([*CHINESE_PHRASES, *CHINESE], key=len, reverse=True)
    modifiers = "".join(name for name in CHINESE_MODIFIERS if len(name) == 1)
    found: dict[str, RGB] = {}
    for match in re.finditer(f"([{modifiers}]?)({'|'.join(known)})(色?)", clause):
        word, plain = match[1] + match[2], match[2]
        named = _chinese(word) if len(plain) > 1 or match[3] or plain in PLAIN_CHINESE else None
        if named is not None:
            found[word + match[3]] = named
    return found


def chroma(rgb: tuple[float, float, float]) -> tuple[float, float, float]:
    """RGB minus its luma: a vector of zero luma, on the scale of the input."""
    luma = sum(weight * value for weight, value in zip(LUMA, rgb, strict=True))
    return (rgb[0] - luma, rgb[1] - luma, rgb[2] - luma)


def _hex(word: str) -> RGB | None:
    match = re.fullmatch(r"#?([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})", word)
    return (int(match[1], 16), int(match[2], 16), int(match[3], 16)) if match else None


def _english(plain: str) -> RGB | None:
    if plain in ENGLISH_PHRASES:
        return ENGLISH_PHRASES[plain]
    words = [word for word in plain.split() if word not in ("coloured", "colored", "and", "very")]
    modifiers = [word for word in words if word in ENGLISH_MODIFIERS]
    rest = [word for word in words if word not in ENGLISH_MODIFIERS]
    if modifiers and " ".join(rest) in ENGLISH_PHRASES:
        mixed: RGB | None = ENGLISH_PHRASES[" ".join(rest)]
    else:
        bases = [_english_base(word) for word in rest]
        weights = [0.4 if word.endswith("ish") else 1.0 for word in rest]
        mixed = _mix([base for base in bases if base], weights) if all(bases) else None
    return _modified(mixed, [ENGLISH_MODIFIERS[word] for word in modifiers])


def _english_base(word: str) -> RGB | None:
    """A colour word, also with -ish: "bluish", "reddish"."""
    if word in ENGLISH:
        return ENGLISH[word]
    stem = word.removesuffix("ish")
    for form in (stem, stem + "e", stem[:-1]):
        if word.endswith("ish") and form in ENGLISH:
            return ENGLISH[form]
    return None


def _chinese(plain: str) -> RGB | None:
    rest = plain.replace(" ", "").removesuffix("的").removesuffix("色").replace("色", "")
    bases: list[RGB] = []
    modifiers: list[str] = []
    while rest:
        token = _chinese_token(rest)
        if not token:
            return None
        if token in CHINESE_MODIFIERS and len(rest) > 1:
            modifiers.append(CHINESE_MODIFIERS[token])
        elif token in CHINESE_MODIFIERS:
            return None
        else:
            bases.append(CHINESE_PHRASES.get(token) or CHINESE[token])
        rest = rest[len(token) :]
    return _modified(_mix(bases), modifiers)


def _chinese_token(text: str) -> str:
    """The longest known word the text begins with."""
    for length in (3, 2, 1):
        head = text[:length]
        if len(head) == length and (head in CHINESE_PHRASES or head in CHINESE):
            return head
    return text[0] if text[0] in CHINESE_MODIFIERS else ""


def _mix(bases: list[RGB], weights: list[float] | None = None) -> RGB | None:
    """A grey-blue is a blue that is half grey; the last word weighs a little more."""
    if not bases:
        return None
    weights = weights or [1.0] * len(bases)
    weights = [*weights[:-1], 1.2 * weights[-1]]
    total = sum(weights)
    mixed = [
        sum(weight * base[band] for weight, base in zip(weights, bases, strict=True)) / total
        for band in range(3)
    ]
    return _rounded(mixed)


def _modified(base: RGB | None, modifiers: list[str]) -> RGB | None:
    for modifier in modifiers:
        if base is None:
            return None
        base = _modify(base, modifier)
    return base


def _modify(base: RGB, modifier: str) -> RGB:
    luma = sum(weight * value for weight, value in zip(LUMA, base, strict=True))
    if modifier == "light":
        return _rounded([value + 0.5 * (255 - value) for value in base])
    if modifier == "dark":
        return _rounded([value * 0.6 for value in base])
    if modifier == "vivid":
        return _rounded([luma + 1.25 * (value - luma) for value in base])
    if modifier == "dull":
        return _rounded([luma + 0.6 * (value - luma) for value in base])
    return base


def _rounded(values: list[float]) -> RGB:
    red, green, blue = (round(min(255.0, max(0.0, value))) for value in values)
    return (red, green, blue)
