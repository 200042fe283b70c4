"""The pure parts: what was done, what it is called, and what a file says of itself."""

from __future__ import annotations

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
    done = credits.deeds(line)
    assert wording.notice(done) == notice
    assert credits.source_type(done) == credits.SOURCE_TYPES + source


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
