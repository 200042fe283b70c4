"""A version that came back: its maker reads why, and mends the run that made it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from django.urls import reverse
from PIL import Image

from restoration.actions.drafts import keep_mask
from restoration.actions.reviews import open_review, return_version
from restoration.actions.versions import submit_version, withdraw_version
from restoration.models import Draft, Job
from tests import factories
from tests.people import Cast, appoint

from .conftest import Desk, newest, recipe

FACE = {"x": 0.1, "y": 0.1, "width": 0.2, "height": 0.2}
DAB = {"x": 0.5, "y": 0.25, "colour": "#4f7440", "word": "leaves"}
ADVICE = "Erase the red line at the lapel."


def painted(size: int) -> bytes:
    """A mask with a white square in its corner."""
    sheet = Image.new("L", (128, 96))
    sheet.paste(255, (4, 4, size, size))
    file = BytesIO()
    sheet.save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def mask(vera: Desk, now: datetime) -> str:
    """What Vera painted."""
    return keep_mask(photo=vera.photo, by=vera.user, content=painted(20), now=now)


@pytest.fixture
def came_back(
    vera: Desk, people: Cast, mask: str, work: Callable[[], list[Job]], worker_on: None
) -> Callable[..., Any]:
    """Vera runs, submits, gets it back and takes the photo up again; gives her bench."""

    def once(base: int = 0, **fields: str) -> Any:
        sent = recipe(base=base, rev=rev(vera)) | {
            "step-repair": "on",
            "mask": mask,
            "step-tone": "on",
            "tone-strength": "0.7",
            "prompt-colours": "the flag is green",
            "faces-known": "1",
            "face-0-kind": "keep",
            **{f"face-0-{side}": f"{100 * share:.1f}" for side, share in FACE.items()},
        }
        assert vera.post("run", data=sent | fields).status_code == 302
        assert [job.state for job in work()] == ["succeeded"]
        give_back(vera, people)
        vera.client.post(vera.url("claim"))
        return vera.get("bench")

    return once


def rev(desk: Desk) -> int:
    kept = Draft.objects.filter(photo=desk.photo, volunteer=desk.user).first()
    return kept.rev if kept else 0


def give_back(desk: Desk, people: Cast) -> None:
    appoint(people.cora, desk.photo.collection)
    made = newest(desk.photo)
    at = Draft.objects.get(volunteer=desk.user).saved_at + timedelta(seconds=1)
    submit_version(version=made, by=desk.user, note="", now=at)
    review = open_review(version=made, by=people.cora, now=at)
    return_version(review=review, by=people.cora, reason="lost", advice=ADVICE, now=at)


def config(answer: Any) -> dict[str, Any]:
    found: dict[str, Any] = answer.context["config"]
    return found


def test_the_reason_stands_beside_the_advice(came_back: Callable[..., Any]) -> None:
    page = came_back().text
    told = page.index("v1 came back with advice")
    assert told < page.index("Something true was taken away") < page.index(ADVICE)


def test_the_reason_stands_on_the_version_and_in_my_work(
    vera: Desk, came_back: Callable[..., Any]
) -> None:
    assert came_back().text.count("Something true was taken away") == 2
    page = vera.client.get(reverse("people:work")).text
    assert page.count("Something true was taken away") == 1
    bench = reverse("restoration:bench", args=[vera.photo.ref])
    assert f'"{bench}"' in page  # where it is mended, not the version as it is
    assert f'"{bench}?base=1"' not in page


def test_the_advice_is_not_read_in_the_language_of_the_page(came_back: Callable[..., Any]) -> None:
    page = came_back().text
    assert f'<blockquote lang="">{ADVICE}</blockquote>' in page
    assert f'<p class="small version-advice" lang="">{ADVICE}</p>' in page


def test_the_bench_opens_on_what_the_version_began_from(came_back: Callable[..., Any]) -> None:
    answer = came_back()
    assert answer.context["base"]["id"] == 0
    assert "This begins from the scan again, with the steps of v1." in answer.text
    assert [(each["id"], each["current"]) for each in answer.context["versions"]] == [
        (0, True),
        (1, False),
    ]


def test_what_was_run_is_set_in_the_form_whatever_the_draft_became(
    vera: Desk, mask: str, came_back: Callable[..., Any]
) -> None:
    came_back()
    spoiled = {"steps": {"tone": {"on": False}}, "prompt": {"keep": "the star"}, "base": 1}
    Draft.objects.update(body=spoiled)
    answer = vera.get("bench")
    steps = {each["name"]: each for each in answer.context["steps"]}
    assert [name for name, each in steps.items() if each["on"]] == ["tone", "repair"]
    strength = next(each for each in steps["tone"]["settings"] if each["name"] == "strength")
    assert strength["value"] == 0.7
    assert config(answer)["mask"]["sha256"] == mask
    assert config(answer)["mask"]["is_done"] is False
    assert config(answer)["draft"]["is_begun"] is True
    [face] = config(answer)["draft"]["draft"]["faces"]
    assert face == FACE | {"kind": "keep"}
    words = {each["name"]: each["value"] for each in answer.context["prompt_fields"]}
    assert (words["colours"], words["keep"]) == ("the flag is green", "the star")


def test_colours_come_back_with_the_words_that_the_draft_has_for_them(
    vera: Desk, came_back: Callable[..., Any]
) -> None:
    answer = came_back(**{"step-colourise": "on", "dabs": json.dumps([DAB])})
    assert config(answer)["draft"]["draft"]["dabs"] == [DAB]
    Draft.objects.update(body={})
    assert config(vera.get("bench"))["draft"]["draft"]["dabs"] == [DAB | {"word": ""}]


def test_who_asks_for_the_version_itself_gets_it_and_the_draft(
    vera: Desk, came_back: Callable[..., Any]
) -> None:
    came_back()
    Draft.objects.update(body={"prompt": {"keep": "the star"}})
    answer = vera.get("bench", base="1")
    assert answer.context["base"]["id"] == 1
    assert "This begins from" not in answer.text
    assert config(answer)["draft"]["draft"]["prompt"]["keep"] == "the star"
    assert config(answer)["draft"]["is_begun"] is False


def test_who_asks_for_what_it_began_from_gets_the_steps_of_the_version(
    vera: Desk, came_back: Callable[..., Any]
) -> None:
    came_back()
    Draft.objects.update(body={"base": 0})
    answer = vera.get("bench", base="0")
    assert "This begins from the scan again, with the steps of v1." in answer.text
    assert [each["name"] for each in answer.context["steps"] if each["on"]] == ["tone", "repair"]


def test_what_was_changed_since_the_return_is_not_set_back(
    vera: Desk, came_back: Callable[..., Any]
) -> None:
    came_back()
    body = {"base": 0, "steps": {"denoise": {"on": True}}}
    sent = {"rev": rev(vera), "draft": body}
    claimed = vera.client.put(
        config(vera.get("bench"))["urls"]["draft"], sent, content_type="application/json"
    )
    assert claimed.status_code == 200
    Draft.objects.update(saved_at=newest(vera.photo).submitted_at + timedelta(minutes=1))
    answer = vera.get("bench")
    assert [each["name"] for each in answer.context["steps"] if each["on"]] == ["denoise"]
    assert config(answer)["draft"]["is_begun"] is False
    assert "This begins from the scan again" in answer.text


def test_a_version_of_a_version_begins_from_that(
    vera: Desk, came_back: Callable[..., Any], work: Callable[[], list[Job]]
) -> None:
    sent = recipe() | {"step-denoise": "on"}
    vera.post("run", data=sent)
    work()
    answer = came_back(base=1)
    assert answer.context["base"]["id"] == 1
    assert "This begins from v1 again, with the steps of v2." in answer.text


def test_once_the_next_version_is_made_the_return_is_answered(
    vera: Desk, came_back: Callable[..., Any], work: Callable[[], list[Job]]
) -> None:
    answer = came_back()
    again = vera.client.post(config(answer)["urls"]["run"], recipe(rev=rev(vera)))
    assert again.status_code == 302
    work()
    page = vera.get("bench").text
    assert "came back with advice" not in page
    assert "This begins from" not in page


def test_once_it_is_mended_as_the_bench_proposes_it_waits_in_my_work_no_more(
    vera: Desk, came_back: Callable[..., Any], work: Callable[[], list[Job]]
) -> None:
    answer = came_back()
    assert "Almost there" in vera.client.get(reverse("people:work")).text
    vera.client.post(config(answer)["urls"]["run"], recipe(rev=rev(vera)))
    work()
    mended = newest(vera.photo)
    assert mended.parent is not None
    assert mended.parent.number == 0  # beside what came back, no child of it
    assert "Almost there" not in vera.client.get(reverse("people:work")).text


def test_an_answer_that_was_taken_back_is_none(
    vera: Desk, came_back: Callable[..., Any], now: datetime
) -> None:
    came_back()
    again = factories.version(vera.photo, vera.user)
    assert "came back with advice" not in vera.get("bench").text
    withdraw_version(version=again, by=vera.user, now=now)
    assert "v1 came back with advice" in vera.get("bench").text
    assert "Almost there" in vera.client.get(reverse("people:work")).text


class TestAResult:
    """What is painted and placed does not lie over what was made with it."""

    def test_is_looked_at_without_the_mask_that_made_it(
        self, vera: Desk, came_back: Callable[..., Any]
    ) -> None:
        came_back()
        assert config(vera.get("bench", base="1"))["mask"]["is_done"] is True
        assert config(vera.get("bench", base="0"))["mask"]["is_done"] is False

    def test_nor_without_it_where_more_was_done_to_it(
        self, vera: Desk, came_back: Callable[..., Any], mask: str
    ) -> None:
        came_back()
        factories.version(vera.photo, vera.user, parent=newest(vera.photo))
        assert config(vera.get("bench", base="2"))["mask"]["is_done"] is True

    def test_is_looked_at_with_what_was_painted_since(
        self, vera: Desk, came_back: Callable[..., Any], now: datetime
    ) -> None:
        came_back()
        other = keep_mask(photo=vera.photo, by=vera.user, content=painted(40), now=now)
        Draft.objects.update(body={"mask": other})
        assert config(vera.get("bench", base="1"))["mask"]["is_done"] is False

    def test_is_looked_at_without_the_preview_of_its_colours(
        self, vera: Desk, came_back: Callable[..., Any]
    ) -> None:
        came_back(**{"step-colourise": "on", "dabs": json.dumps([DAB]), "mask": ""})
        assert config(vera.get("bench", base="1"))["mask"]["is_done"] is True
        Draft.objects.update(body={"dabs": [DAB, DAB | {"x": 0.1}]})
        assert config(vera.get("bench", base="1"))["mask"]["is_done"] is False


def test_a_result_is_compared_with_the_scan_and_the_scan_with_the_newest(
    vera: Desk, came_back: Callable[..., Any]
) -> None:
    came_back()
    for base, other in (("1", 0), ("0", 1)):
        bases = vera.get("bench", base=base).context["bases"]
        assert [each["id"] for each in bases if each["other"]] == [other]
