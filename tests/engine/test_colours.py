"""Colour words in two languages become sRGB, and unknown ones get suggestions."""

import colorsys

import pytest

from restoration.engine import colours
from restoration.engine.errors import BadInput


def hue(word: str) -> float:
    red, green, blue = (value / 255 for value in colours.parse(word))
    return 360 * colorsys.rgb_to_hsv(red, green, blue)[0]


def brightness(word: str) -> float:
    return sum(colours.parse(word)) / 3


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("red", "红"), ("red", "红色"), ("blue", "蓝色"), ("grey-blue", "灰蓝色"),
        ("dark red", "深红"), ("army green", "军绿"), ("light blue", "浅蓝色的"), ("black", "黑"),
        ("purple", "紫色"), ("navy", "海军蓝"), ("khaki", "卡其色"),
    ],
)  # fmt: skip
def test_both_languages_mean_the_same_colour(english: str, chinese: str):
    assert colours.parse(english) == colours.parse(chinese)


@pytest.mark.parametrize(
    ("word", "low", "high"),
    [
        ("土黄", 30, 50), ("米黄色", 30, 55), ("墨绿", 140, 170), ("藏青色", 210, 240),
        ("sky blue", 200, 225), ("olive", 50, 75), ("枣红", 340, 361), ("reddish brown", 0, 25),
        ("grey-green", 120, 150), ("深灰蓝", 205, 230), ("天蓝", 195, 220),
    ],
)  # fmt: skip
def test_compounds_have_the_hue_they_name(word: str, low: float, high: float):
    assert low <= hue(word) <= high


def test_dark_is_darker_and_light_is_lighter_in_both_languages():
    assert brightness("dark green") < brightness("green") < brightness("light green")
    assert brightness("深绿") < brightness("绿") < brightness("浅绿")


def test_spelling_is_forgiven_where_it_means_nothing():
    assert colours.parse("  Grey-Blue ") == colours.parse("gray blue")
    assert colours.parse("#8A2F1B") == (138, 47, 27)


def test_an_unknown_word_is_refused_with_its_neighbours():
    with pytest.raises(BadInput) as english:
        colours.parse("crimsn")
    with pytest.raises(BadInput) as chinese:
        colours.parse("灰篮")
    assert english.value.code == chinese.value.code == "unknown-colour"
    assert "crimson" in english.value.facts["near"]
    assert "灰" in chinese.value.facts["near"]


@pytest.mark.parametrize("word", ["", "   ", "very", "深", "red" * 30, "红红火火的队服"])
def test_a_word_without_a_colour_is_refused(word: str):
    with pytest.raises(BadInput):
        colours.parse(word)


def test_chroma_has_no_luma():
    for word in ("red", "土黄", "navy", "white"):
        vector = colours.chroma(colours.parse(word))
        assert abs(sum(w * v for w, v in zip(colours.LUMA, vector, strict=True))) < 1e-9


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("the tracksuits are dark red with white stripes", ["dark red", "white"]),
        ("Uniforms: army green; red and yellow flag", ["army green", "red", "yellow"]),
        ("a sunny morning, film grain, light from the left", []),
        ("运动服是深红色的，白边，三米高，金牌", ["深红色", "白"]),
        ("旗子是红色，军绿裤子", ["红色", "军绿"]),
        ("", []),
    ],
)  # fmt: skip
def test_a_sentence_gives_the_colours_that_it_names(text: str, named: list[str]):
    assert [word for word, _ in colours.within(text)] == named


def test_a_colour_in_a_sentence_is_the_one_that_its_word_means():
    assert dict(colours.within("a dark red coat")) == {"dark red": colours.parse("dark red")}
    assert dict(colours.within("深红的大衣")) == {"深红": colours.parse("深红")}
