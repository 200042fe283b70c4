"""The pure parts: what was done, what it is called, and what a file says of itself."""

from __future__ import annotations

import itertools
from typing import Any
from xml.etree import ElementTree

import pytest

from exhibit import credits, wording, xmp


def version(*steps: dict[str, Any], kind: str = "machine", by: str = "Vera") -> dict[str, object]:
    return {"number": 1, "kind": kind, "by": by, "records": list(steps), "meters": {}}


CLEAN = {"step": "denoise", "backend": "embedded"}
COLOUR = {"step": "colourise", "backend": "embedded"}
REDRAW = {
    "step": "redraw",
    "backend": "generative",
    "model": {"name": "sd15", "label": "Stable Diffusion 1.5", "licence_label": "Open RAIL-M"},
}
HAND = version({"step": "retouch", "backend": "hand"}, kind="retouch", by="Ada")
PAINTED = version({"step": "retouch", "coloured": 0.3}, kind="retouch", by="Ada")


@pytest.mark.parametrize(
    ("line", "notice", "source"),
    [
        ([version(CLEAN)], "Cleaned by machine", "algorithmicallyEnhanced"),
        (
            [version(CLEAN, COLOUR)],
            "Cleaned and coloured by machine",
            "algorithmicallyEnhanced",
        ),
        ([version(REDRAW)], "AI-restored", "compositeWithTrainedAlgorithmicMedia"),
        (
            [version(REDRAW), version(COLOUR)],
            "AI-restored and coloured",
            "compositeWithTrainedAlgorithmicMedia",
        ),
        (
            [version(REDRAW), HAND],
            "AI-restored, retouched by hand",
            "compositeWithTrainedAlgorithmicMedia",
        ),
        ([HAND], "Retouched by hand", "humanEdits"),
        ([PAINTED], "Retouched and coloured by hand", "humanEdits"),
        (
            [version(CLEAN), PAINTED],
            "Cleaned by machine, coloured by hand",
            "algorithmicallyEnhanced",
        ),
        (
            [version(CLEAN, COLOUR), PAINTED],
            "Cleaned and coloured by machine, retouched by hand",
            "algorithmicallyEnhanced",
        ),
        (
            [version(REDRAW), PAINTED],
            "AI-restored, coloured by hand",
            "compositeWithTrainedAlgorithmicMedia",
        ),
    ],
)
def test_the_notice_and_the_source_type_follow_what_was_done(
    line: list[dict[str, object]], notice: str, source: str
) -> None:
    assert wording.notice(wording.deeds({"versions": line})) == notice
    assert credits.source_type(credits.deeds(line)) == credits.SOURCE_TYPES + source


def did(step: str, **facts: Any) -> dict[str, Any]:
    return {"step": step, "backend": "embedded", "settings": {}} | facts


MODEL = {"backend": "generative", "model": {"label": "FLUX.2 klein 4B"}}
PLACED, AREA = did("colourise", dabs=6, regions=0), did("colourise", dabs=0, regions=2)
GUESSED = did("colourise", dabs=0, regions=0, settings={"guess": 0.5})
MIXED = did("colourise", dabs=6, regions=0, settings={"guess": 0.5})
AI_COLOUR = did("colourise", **MODEL)
TONE, REPAIR, ENLARGE = did("tone"), did("repair", mask="given"), did("upscale")
FROM_A_PERSON = ", from colours a person placed"


@pytest.mark.parametrize(
    ("steps", "notice"),
    [
        ([TONE], "Cleaned by machine"),
        ([REPAIR], "Cleaned by machine"),
        ([TONE, REPAIR, CLEAN], "Cleaned by machine"),
        ([did("assess"), PLACED, did("guard")], "Coloured by machine" + FROM_A_PERSON),
        ([ENLARGE], "Enlarged by machine"),
        ([CLEAN, ENLARGE], "Cleaned and enlarged by machine"),
        ([did("repair", **MODEL)], "AI-restored"),
        ([TONE, REDRAW], "AI-restored"),
        ([REDRAW, ENLARGE], "AI-restored and enlarged"),
        ([REDRAW, PLACED], "AI-restored and coloured" + FROM_A_PERSON),
        ([REDRAW, AI_COLOUR, ENLARGE], "AI-restored, coloured and enlarged"),
        ([GUESSED], "Coloured by machine"),
        ([PLACED], "Coloured by machine" + FROM_A_PERSON),
        ([AREA], "Coloured by machine" + FROM_A_PERSON),
        ([MIXED], "Coloured by machine, partly from colours a person placed"),
        ([PLACED, GUESSED], "Coloured by machine, partly from colours a person placed"),
        ([PLACED, ENLARGE], "Coloured and enlarged by machine" + FROM_A_PERSON),
        ([REPAIR, PLACED], "Cleaned and coloured by machine" + FROM_A_PERSON),
        ([CLEAN, GUESSED], "Cleaned and coloured by machine"),
        ([TONE, PLACED, ENLARGE], "Cleaned, coloured and enlarged by machine" + FROM_A_PERSON),
        ([AI_COLOUR], "AI-coloured"),
        ([CLEAN, AI_COLOUR], "Cleaned by machine, AI-coloured"),
        ([AI_COLOUR, ENLARGE], "Enlarged by machine, AI-coloured"),
    ],
)
def test_the_notice_names_what_was_done_and_nothing_else(
    steps: list[dict[str, Any]], notice: str
) -> None:
    assert wording.notice(wording.deeds({"versions": [version(*steps)]})) == notice
    by_hand = wording.deeds({"versions": [version(*steps), HAND]})
    assert wording.notice(by_hand) == f"{notice}, retouched by hand"


NAMED = ("tone", "repair", "denoise", "redraw", "colourise", "upscale")


@pytest.mark.parametrize("chosen", [*itertools.product((False, True), repeat=6)])
@pytest.mark.parametrize("hand", [[], [HAND], [PAINTED]])
def test_every_combination_of_steps_is_told_by_its_own_words(
    chosen: tuple[bool, ...], hand: list[dict[str, object]]
) -> None:
    on = [name for name, is_on in zip(NAMED, chosen, strict=True) if is_on]
    if not on and not hand:
        return
    steps = [REDRAW if name == "redraw" else did(name) for name in on]
    said = wording.notice(wording.deeds({"versions": [version(*steps), *hand]})).lower()
    drawn = "redraw" in on
    assert ("cleaned" in said) == (bool({"tone", "repair", "denoise"} & set(on)) and not drawn)
    assert ("ai-" in said) == drawn
    assert ("coloured" in said) == ("colourise" in on or hand == [PAINTED])
    assert ("enlarged" in said) == ("upscale" in on)
    assert ("by machine" in said) == (bool(on) and not drawn)
    assert ("by hand" in said) == bool(hand)


def test_an_account_without_records_is_told_by_its_kinds_of_work() -> None:
    for kinds, notice in (
        (["machine"], "Cleaned by machine"),
        (["machine", "colour"], "Cleaned and coloured by machine"),
        (["machine", "generative"], "AI-restored"),
    ):
        assert wording.notice(wording.deeds({"deeds": kinds})) == notice


def test_the_text_alternative_says_the_same_as_the_notice() -> None:
    done = wording.deeds({"versions": [version(PLACED)]})
    assert wording.alternative("A gate", done) == f"{wording.notice(done)}: A gate"


def test_everybody_is_thanked_once_in_the_order_of_the_work() -> None:
    line = [version(CLEAN), version(COLOUR), HAND]
    assert credits.credits(line, {"by": "Cora"}) == [
        {"role": "restored", "name": "Vera"},
        {"role": "retouched", "name": "Ada"},
        {"role": "reviewed", "name": "Cora"},
    ]


def test_each_model_is_named_once_with_its_licence() -> None:
    models = credits.models_used([version(REDRAW), version(REDRAW, CLEAN)])
    assert models == [{"name": "Stable Diffusion 1.5", "licence": "Open RAIL-M"}]


def test_what_was_measured_last_is_told_because_it_counts_the_ancestors_in() -> None:
    coloured, cleaned = version(COLOUR), version(CLEAN)
    coloured["meters"] = {"guard": {"coloured_guess_area": 0.4, "verdict": "review"}}
    cleaned["meters"] = {"guard": {"coloured_guess_area": 0.4, "verdict": "pass"}}
    assert credits.guard([coloured, cleaned]) == cleaned["meters"]["guard"]
    assert credits.guard([]) == {}


FACTS = xmp.Facts(
    title={"en": 'A "gold" <medal>', "zh-Hans": "金牌"},
    description={"en": "Words & more"},
    rights={"en": "Public domain"},
    rights_uri="http://creativecommons.org/publicdomain/mark/1.0/",
    credit="Museum",
    contributors=["Vera", "Cora & Co"],
    identifier="https://example.org/published/1/",
    source="A-17",
    source_type="http://cv.iptc.org/newscodes/digitalsourcetype/humanEdits",
)
JFIF = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
REST = b"\xff\xdb\x00\x04\x00\x00\xff\xd9"


def test_a_packet_is_well_formed_whatever_was_written() -> None:
    text = xmp.packet(FACTS)
    body = text[text.index("?>") + 2 : text.rindex("<?xpacket")]
    texts = [each.text for each in ElementTree.fromstring(body).iter() if each.text]
    assert 'A "gold" <medal>' in texts
    assert "Cora & Co" in texts


def test_the_packet_stands_behind_jfif_and_replaces_an_older_one() -> None:
    once = xmp.into_jpeg(b"\xff\xd8" + JFIF + REST, "first")
    twice = xmp.into_jpeg(once, "second")
    assert twice.startswith(b"\xff\xd8" + JFIF + b"\xff\xe1")
    assert twice.endswith(REST)
    assert b"first" not in twice
    assert twice.count(xmp.SIGNATURE) == 1


def test_a_very_long_description_is_left_out_not_cut() -> None:
    long = xmp.Facts(**{**vars(FACTS), "description": {"en": "x" * 70_000}})
    text = xmp.packet(long)
    assert len(text.encode()) <= xmp.LONGEST
    assert "dc:description" not in text


def test_what_is_no_jpeg_is_refused() -> None:
    with pytest.raises(xmp.NotJpegError):
        xmp.into_jpeg(b"\x89PNG", "words")
