"""Save what lies on the bench: nothing is lost, and two tabs never overwrite each other."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from restoration import drafting
from restoration.models import Draft, Job

from .conftest import Desk, recipe

BODY = {
    "base": 0,
    "steps": {"tone": {"on": True, "settings": {"strength": 0.3}}},
    "prompt": {"place": "Tehran"},
    "mask": None,
    "dabs": [{"x": 0.5, "y": 0.25, "colour": "#b4252c", "word": "red"}],
    "regions": [],
}


def put(desk: Desk, rev: int, draft: Any = BODY) -> Any:
    sent = {"rev": rev, "draft": draft}
    return desk.client.put(desk.url("draft"), sent, content_type="application/json")


def kept(desk: Desk) -> Draft:
    return Draft.objects.get(photo=desk.photo, volunteer=desk.user)


def test_it_is_kept_with_a_number_that_counts_up(vera: Desk) -> None:
    assert put(vera, 0).json()["rev"] == 1
    assert put(vera, 1).json()["rev"] == 2
    body = kept(vera).body
    assert body["steps"]["tone"] == {"on": True, "settings": {"strength": 0.3}}
    assert body["dabs"] == BODY["dabs"]
    assert body["prompt"]["place"] == "Tehran"


def test_an_older_tab_gets_the_newer_draft_and_overwrites_nothing(vera: Desk) -> None:
    put(vera, 0)
    put(vera, 1, BODY | {"prompt": {"place": "Isfahan"}})
    answer = put(vera, 1, BODY | {"prompt": {"place": "Shiraz"}})
    told = answer.json()
    assert (answer.status_code, told["code"], told["rev"]) == (409, "draft-moved", 2)
    assert told["draft"]["prompt"]["place"] == "Isfahan"
    assert told["mask_url"] is None
    assert kept(vera).body["prompt"]["place"] == "Isfahan"


def test_a_page_that_missed_the_answer_sends_the_same_again_and_is_told_its_number(
    vera: Desk,
) -> None:
    put(vera, 0)
    answer = put(vera, 0)
    assert (answer.status_code, answer.json()["rev"]) == (200, 1)
    answer = put(vera, 0, BODY | {"prompt": {"place": "Isfahan"}})
    assert (answer.status_code, answer.json()["rev"]) == (409, 1)


def test_after_the_claim_has_ended_it_is_refused_and_kept_as_it_was(vera: Desk) -> None:
    put(vera, 0)
    vera.post("release")
    answer = put(vera, 1, BODY | {"prompt": {"place": "late"}})
    assert (answer.status_code, answer.json()["code"]) == (409, "no-claim")
    assert kept(vera).body["prompt"]["place"] == "Tehran"


def test_a_page_of_an_older_claim_cannot_save(vera: Desk) -> None:
    vera.post("release")
    vera.client.post(reverse("restoration:claim", args=[vera.photo.ref]))
    assert put(vera, 0).json()["code"] == "no-claim"


def test_another_volunteer_cannot_write_into_it(vera: Desk, victor: Desk) -> None:
    answer = victor.client.put(
        vera.url("draft"), {"rev": 0, "draft": BODY}, content_type="application/json"
    )
    assert answer.status_code == 409
    assert not Draft.objects.exists()


def test_nonsense_is_kept_as_an_empty_bench(vera: Desk) -> None:
    for nonsense in (None, [], "x", {"steps": [], "dabs": {"a": 1}, "mask": "../x", "seed": "1e9"}):
        rev = Draft.objects.filter(volunteer=vera.user).values_list("rev", flat=True).first() or 0
        assert put(vera, rev, nonsense).status_code == 200
        body = kept(vera).body
        assert (body["mask"], body["dabs"], body["steps"]["tone"]["on"]) == (None, [], False)
    assert vera.get("bench").status_code == 200


def test_numbers_that_no_picture_has_are_kept_as_none() -> None:
    far = {"x": 10**400, "y": float("inf"), "colour": "#abcdef"}
    face = {"x": 0.1, "y": 0.1, "width": 10**400, "height": 0.2}
    draft = drafting.cleaned({"dabs": [far], "faces": [face]})
    assert (draft["dabs"][0]["x"], draft["dabs"][0]["y"]) == (0.5, 0.5)
    assert not draft["faces"]


def test_a_draft_reads_the_same_from_a_form_and_from_json() -> None:
    form = {
        "base": "2",
        "step-tone": "on",
        "tone-strength": "0.3",
        "tone-cast": "0",
        "prompt-place": " Tehran ",
        "dabs": '[{"x": 2, "y": -1, "colour": "#ABCDEF", "word": ""}]',
        "regions": "not json",
    }
    draft = drafting.from_post(form)
    assert draft["base"] == 2
    assert draft["steps"]["tone"] == {"on": True, "settings": {"strength": 0.3, "cast": 0.0}}
    assert draft["steps"]["repair"]["on"] is False
    assert draft["prompt"]["place"] == "Tehran"
    assert draft["dabs"] == [{"x": 1.0, "y": 0.0, "colour": "#abcdef", "word": ""}]
    assert drafting.cleaned(draft) == draft


# --- more words than a run takes -----------------------------------------------------------------
LONG = "He stood by the window. " * 120 + "The end"
TOO_LONG = "“Anything else” is too long; it may have 2000 characters."


def test_words_that_are_too_long_for_a_run_are_kept_whole(vera: Desk) -> None:
    assert put(vera, 0, BODY | {"prompt": {"words": LONG}}).status_code == 200
    assert kept(vera).body["prompt"]["words"] == LONG
    page = vera.get("bench").text
    assert f">{LONG}</textarea>" in page
    beside = page.split('id="prompt-words-problem"', 1)[1].split("</div>", 1)[0]
    assert TOO_LONG in beside
    assert "hidden" not in beside.split(">", 1)[0]
    # The sentence waits beside the others, for whoever goes on typing there.
    other = page.split('id="prompt-keep-problem"', 1)[1].split(">", 1)[0]
    assert "hidden" in other


def test_a_run_refuses_them_in_a_sentence_and_loses_none(vera: Desk) -> None:
    form = recipe() | {"prompt-words": LONG}
    answer = vera.post("run", data=form)
    assert answer.status_code == 422
    assert TOO_LONG in answer.text
    assert f">{LONG}</textarea>" in answer.text
    assert kept(vera).body["prompt"]["words"] == LONG
    answer = vera.htmx("run", data=form | {"rev": "1"})
    assert (answer.status_code, TOO_LONG in answer.text) == (422, True)
    assert not Job.objects.exists()


def test_many_facts_about_colours_are_counted_line_by_line(vera: Desk) -> None:
    lines = "\n".join(f"Fact {number}: the badge was red." for number in range(90))
    assert len(lines) > 2000
    answer = vera.post("run", data=recipe() | {"prompt-colours": lines})
    assert answer.status_code == 302
    (job,) = Job.objects.all()
    assert "\n".join(job.plan["prompt"]["facts"]) == lines  # each of them, and none left out
    page = vera.get("bench").text
    assert "hidden" in page.split('id="prompt-colours-problem"', 1)[1].split(">", 1)[0]
    answer = vera.htmx("run", data=recipe(rev=1) | {"prompt-colours": LONG})
    assert "“Known facts about colours” is too long" in answer.text


def test_the_end_of_a_line_is_one_character_however_it_was_sent(vera: Desk) -> None:
    text = "\n".join(["a line"] * 285)
    assert len(text) < 2000 < len(text.replace("\n", "\r\n"))
    answer = vera.htmx("run", data=recipe() | {"prompt-words": text.replace("\n", "\r\n")})
    assert answer.status_code == 200
    assert Job.objects.get().plan["prompt"]["words"] == text


def test_no_field_cuts_what_is_pasted_into_it(vera: Desk) -> None:
    page = vera.get("bench").text
    prompt = page.split('class="bench-prompt"', 1)[1].split("</fieldset>", 1)[0]
    assert "prompt-words" in prompt
    assert "maxlength" not in prompt
