"""What a volunteer knows becomes each family's words, the guard's always among them."""

import pytest

from restoration.engine.generative.prompts import (
    BLANK,
    LEAST_FIRST,
    NEGATIVE,
    Frame,
    cut,
    cuts,
    fitted,
    foreign,
    said,
    worded,
)
from restoration.engine.generative.rows import FAMILIES
from restoration.engine.plan import Prompt

KLEIN, SDXL, Z_IMAGE, QWEN, SD15 = FAMILIES
TOLD = Prompt(
    period="1974",
    place="Tehran",
    who="three weightlifters",
    facts=("the uniforms are red (the museum has one)", "white trim."),
    keep="the medals",
    words="athletes on a podium ",
)
EMPTY: dict[str, list[str]] = {name: [] for name in LEAST_FIRST}
ZH = Prompt(who="三名举重运动员", place="德黑兰", facts=("运动服是红色的（博物馆有一件）",))


def words(text):
    return len(text.split())


def test_tags_word_every_field_once_with_the_guard_words():
    text = worded(TOLD, "redraw", SD15).prompt
    assert text == (
        "a sharp old photograph, athletes on a podium, three weightlifters, the uniforms are red, "
        "white trim, keep the medals unchanged, the same person, same face and expression, "
        "natural skin, original framing, Tehran, 1974"
    )


def test_an_editing_model_is_told_what_changes_and_what_stays():
    text = worded(TOLD, "redraw", KLEIN).prompt
    assert text.startswith("Restore this old photograph")
    assert "Known facts: the uniforms are red; white trim." in text
    assert "Keep exactly as it is: the medals." in text
    assert text.endswith("Do not change the colours.")
    assert "same face" in text


@pytest.mark.parametrize("step", ["redraw", "repair"])
def test_a_model_that_reads_sentences_but_does_not_edit_is_told_what_is_seen(step):
    text = worded(TOLD, step, Z_IMAGE).prompt
    assert "old photograph." in text
    assert not text.startswith(("Restore", "Repair"))


def test_colour_is_asked_for_with_the_known_facts_and_nothing_else():
    text = worded(TOLD, "colourise", QWEN).prompt
    assert text.startswith("Colourise this black-and-white photograph")
    assert "the uniforms are red" in text
    assert "Change nothing but the colour." in text


def test_how_somebody_knows_a_fact_is_kept_but_not_sent():
    wording = worded(TOLD, "redraw", KLEIN)
    assert "museum" not in wording.prompt
    assert wording.fields["facts"] == ["the uniforms are red (the museum has one)", "white trim."]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_nothing_told_still_gives_the_guard_words(family):
    text = worded(None, "repair", family).prompt
    assert "{" not in text
    assert "surroundings" in text


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_no_family_is_told_what_makes_a_face_an_influencers(family):
    for step in ("redraw", "repair"):
        text = worded(TOLD, step, family).prompt.lower()
        assert not any(word in text for word in ("cinematic", "8k", "32k", "hdr", "masterpiece"))


def test_a_negative_prompt_is_sent_as_each_family_reads_it():
    sent = [worded(TOLD, "redraw", family).negative for family in (SDXL, KLEIN, Z_IMAGE, QWEN)]
    assert sent == [NEGATIVE, "", "", BLANK]


def test_chinese_words_have_a_chinese_frame_where_the_model_reads_it():
    wording = worded(ZH, "colourise", KLEIN)
    assert wording.language == "zh"
    assert wording.prompt.startswith("为这张黑白照片上色")
    assert "已知事实：运动服是红色的。" in wording.prompt
    assert worded(ZH, "redraw", SDXL).prompt.startswith("a sharp old photograph")


def test_chinese_is_foreign_to_an_english_encoder_only():
    assert foreign("亚运会, 德黑兰", SD15)
    assert not foreign("Tehran, 1974, the café", SD15)
    assert not foreign("亚运会", KLEIN)


@pytest.mark.parametrize("step", ["redraw", "repair"])
def test_what_was_told_is_judged_and_not_the_frame_around_it(step):
    assert worded(ZH, step, SD15).foreign
    assert worded(Prompt(words="Athletes on a podium", place="德黑兰"), step, SD15).foreign
    assert not worded(TOLD, step, SD15).foreign
    assert not worded(None, step, SD15).foreign
    assert not worded(ZH, step, Z_IMAGE).foreign


@pytest.mark.parametrize(
    "who", ["три штангиста", "سه وزنه‌بردار", "세 명의 역도 선수", "τρεις αθλητές"]
)
def test_only_chinese_chooses_the_chinese_frame_and_any_other_script_is_told(who):
    wording = worded(Prompt(who=who), "colourise", KLEIN)
    assert wording.language == "en"
    assert wording.prompt.startswith("Colourise this black-and-white photograph")
    assert wording.foreign


def test_somebody_is_told_in_what_the_model_can_be_spoken_to():
    from restoration.engine.generative.generation import in_its_languages

    assert in_its_languages(SD15.languages)["code"] == "prompt-language"
    told = in_its_languages(KLEIN.languages)
    assert told == {"code": "prompt-languages", "facts": {"languages": ["en", "zh"]}}


@pytest.mark.parametrize(
    ("fact", "sent"),
    [
        ("the jackets are blue (left), red (right)", "the jackets are blue (left), red (right)"),
        ("a red jacket (left)", "a red jacket (left)"),
        ("运动服：红色（左边）", "运动服：红色（左边）"),
        ("a red jacket (the museum has one)", "a red jacket"),
        ("运动服是红色的（博物馆有一件）", "运动服是红色的"),
    ],
)
def test_brackets_that_say_which_one_is_meant_are_sent(fact, sent):
    assert sent in worded(Prompt(facts=(fact,)), "colourise", KLEIN).prompt
    if sent != fact:
        assert fact not in worded(Prompt(facts=(fact,)), "colourise", KLEIN).prompt


def test_what_is_too_long_loses_the_least_telling_fields_first_and_says_so():
    wording = worded(TOLD, "redraw", SD15, lambda text: 3 * words(text))
    assert wording.left_out == ("period", "place", "words", "who")
    assert "the uniforms are red" in wording.prompt
    assert "same face" in wording.prompt


def test_a_long_field_is_shortened_before_it_is_given_up():
    told = Prompt(words="one two three four five six seven eight nine ten", facts=("red",))
    wording = worded(told, "redraw", SD15, lambda text: 3 * words(text))
    assert wording.left_out == ("words",)
    assert "one two three" in wording.prompt
    assert "ten" not in wording.prompt.split(", the same person")[0]


def test_what_fits_loses_nothing():
    wording = worded(TOLD, "redraw", SD15, words)
    assert wording.left_out == ()


def test_guard_words_stay_even_where_nothing_fits():
    wording = worded(TOLD, "repair", SD15, lambda text: 1000)
    assert wording.prompt == worded(None, "repair", SD15).prompt
    assert set(wording.left_out) == {"period", "place", "who", "facts", "keep", "words"}


@pytest.mark.parametrize(
    "text", ["a place near a lake", "湖边，a place，湖边", "word", "，， a ，"]
)
def test_every_shortening_is_shorter(text):
    texts = given = ["kept as it is", text]
    ends = cuts(given)
    assert ends[-1] == (0, 0)
    for end in ends:
        shorter = cut(given, end)
        assert len(" ".join(shorter)) < len(" ".join(texts))
        texts = shorter
    assert ["kept as it is"] in [cut(given, end) for end in ends]
    assert texts == []


@pytest.mark.parametrize("room", range(16, 80, 7))
def test_halving_keeps_as_many_words_as_cutting_them_one_by_one(room):
    texts = ["a long story, with commas", "湖边，a place，湖边", "and one more of them"]
    frame, count = Frame((("words", "begin {}"), ("", "end"))), len
    sent, left_out = fitted(frame, {**EMPTY, "words": texts}, count, room)
    every = [texts, *(cut(texts, end) for end in cuts(texts))]
    kept = next(each for each in every if len(said(frame, {"words": each})) <= room)
    assert sent == said(frame, {"words": kept})
    assert left_out == (() if kept == texts else ("words",))


def test_the_longest_prompt_is_counted_a_few_times_only():
    counted = []

    def count(text):
        counted.append(text)
        return words(text)

    facts = tuple(f"runner {number} wore a dark red tracksuit " * 50 for number in range(50))
    wording = worded(Prompt(place="Tehran", who="runners", facts=facts), "redraw", SDXL, count)
    assert wording.left_out == ("place", "who", "facts")
    assert "runner 0 wore a dark red" in wording.prompt
    assert len(counted) < 24
