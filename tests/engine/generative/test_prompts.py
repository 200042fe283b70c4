"""What a volunteer knows becomes one sentence, the most telling words first."""

from dataclasses import replace

from restoration.engine.generative.prompts import foreign, worded
from restoration.engine.generative.registry import FAMILIES
from restoration.engine.plan import Prompt

SD15 = FAMILIES[0]
TOLD = Prompt(
    period="1974",
    place="Tehran",
    who="three weightlifters",
    facts=("the uniforms are red", "white trim."),
    keep="the medals",
    words="athletes on a podium ",
)


def test_every_field_is_worded_once_with_the_guard_words():
    text = worded(TOLD, "redraw", SD15).prompt
    assert text == (
        "a sharp old photograph, athletes on a podium, three weightlifters, the uniforms are red, "
        "white trim, keep the medals unchanged, the same person, same face and expression, "
        "natural skin, original framing, Tehran, 1974"
    )


def test_nothing_told_still_gives_the_guard_words():
    assert worded(None, "repair", SD15).prompt == (
        "an undamaged old photograph, continues its surroundings seamlessly, same light and grain"
    )


def test_a_family_that_reads_no_negative_prompt_is_sent_none():
    assert worded(TOLD, "redraw", replace(SD15, negative=False)).negative == ""


def test_chinese_is_foreign_to_an_english_encoder_only():
    assert foreign("亚运会, 德黑兰", SD15)
    assert not foreign("Tehran, 1974, the café", SD15)
    assert not foreign("亚运会", replace(SD15, languages=("en", "zh")))
