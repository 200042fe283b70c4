"""The bench: what lies on it, for who holds the photo and for who does not."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from inspect import signature
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from archive.models import Collection
from restoration import presence
from restoration.actions.jobs import request_look
from restoration.engine.catalog import REDRAWERS
from restoration.engine.generative.rows import MODELS
from restoration.engine.steps import repair
from restoration.lifecycle import JobState
from restoration.models import Assessment, Draft, Version
from tests import factories
from tests.factories import NOW
from tests.people import Cast, appoint

from .conftest import Desk

SUGGESTIONS = [
    {
        "step": "tone",
        "settings": {"strength": 0.4, "cast": 0.1},
        "reason": "faded",
        "facts": {"black": 0.2, "white": 0.8},
    },
    {
        "step": "repair",
        "settings": {"sensitivity": 0.4},
        "reason": "dust-and-scratches",
        "facts": {"damage_spots": 31, "damage_area": 0.002},
    },
]


def assessed(desk: Desk, **facts: Any) -> Assessment:
    defaults: dict[str, Any] = {
        "suggestions": SUGGESTIONS,
        "report": {"fading": 0.4, "noise_sigma": 1.0},
        "mask_sha256": "d" * 64,
        "damage": "some",
        "faces": 2,
        "is_grey": True,
        "made_at": NOW,
    }
    return Assessment.objects.create(photo=desk.photo, **(defaults | facts))


def step(desk: Desk, name: str) -> dict[str, Any]:
    steps = desk.get("bench").context["steps"]
    found: dict[str, Any] = next(each for each in steps if each["name"] == name)
    return found


def test_the_scan_is_the_first_version(victor: Desk) -> None:
    Version.objects.all().delete()
    victor.get("bench")
    (scan,) = Version.objects.all()
    assert (scan.number, scan.sha256) == (0, victor.photo.working_sha256)


def test_without_an_assessment_every_step_can_still_be_chosen(vera: Desk) -> None:
    answer = vera.get("bench")
    assert "has not been looked at by the machine yet" in answer.text
    names = [each["name"] for each in answer.context["steps"] if each["available"]]
    assert names == ["tone", "repair", "denoise", "colourise", "upscale"]


NOT_LOOKED, LOOKING = "has not been looked at by the machine yet", "The machine is looking at this"


def looking_poll(desk: Desk) -> Any:
    """What the open page asks for every few seconds while the machine looks."""
    headers = {"HX-Request": "true", "HX-Target": "look"}
    return desk.client.get(desk.url("bench"), headers=headers)


def test_while_the_machine_looks_the_page_says_so_and_asks_again(vera: Desk, now: datetime) -> None:
    look = request_look(photo=vera.photo, now=now)
    assert look is not None
    page = vera.get("bench").text
    assert LOOKING in page
    assert NOT_LOOKED not in page
    assert 'hx-trigger="every 5s" hx-target="#look"' in page
    assert looking_poll(vera).status_code == 204
    look.move(JobState.CANCELLED, by=None, at=now)
    assert NOT_LOOKED in looking_poll(vera).text
    assert "hx-trigger" not in looking_poll(vera).text


def test_what_the_machine_saw_meanwhile_is_offered_and_changes_nothing_by_itself(
    vera: Desk,
) -> None:
    assessed(vera)
    answer = looking_poll(vera)
    assert "no-store" in answer["Cache-Control"]
    assert "31 specks and scratches" in answer.text
    assert "Show the suggestion" in answer.text
    for other in ("data-suggest", "hx-get", "step-tone", "<html"):
        assert other not in answer.text
    assert "data-suggest" in vera.get("bench").text


def test_nobody_learns_how_far_the_look_at_an_unseen_photo_is(vera: Desk, victor: Desk) -> None:
    Collection.objects.update(is_open=False)
    assert looking_poll(victor).status_code == victor.get("bench").status_code == 404
    # Who holds it is told that the collection was closed, and no more.
    assert looking_poll(vera).status_code == vera.get("bench").status_code == 409
    assert looking_poll(vera).templates[0].name == "restoration/away.html"


def test_the_suggestion_switches_steps_on_and_gives_its_reasons(vera: Desk) -> None:
    assessed(vera)
    answer = vera.get("bench")
    assert "the photo is faded. Its darkest is at 20 %, its lightest at 80 %" in answer.text
    assert "31 specks and scratches" in answer.text
    assert "2 faces" in answer.text
    assert (step(vera, "tone")["on"], step(vera, "denoise")["on"]) == (True, False)
    tone = answer.context["config"]["suggestion"]["steps"]["tone"]
    assert tone == {"on": True, "settings": {"strength": 0.4, "cast": 0.1}}


def test_the_draft_has_the_last_word_over_the_suggestion(vera: Desk) -> None:
    assessed(vera)
    body = {"steps": {"denoise": {"on": True, "settings": {"strength": 0.2}}}}
    Draft.objects.create(photo=vera.photo, volunteer=vera.user, rev=3, body=body, saved_at=NOW)
    assert (step(vera, "tone")["on"], step(vera, "denoise")["on"]) == (False, True)
    assert step(vera, "denoise")["settings"][0]["value"] == 0.2
    assert vera.get("bench").context["config"]["draft"]["rev"] == 3


def test_a_collection_that_wants_no_colour_says_so(vera: Desk) -> None:
    Collection.objects.update(do_not_colourise=True)
    colour = step(vera, "colourise")
    assert (colour["available"], colour["settings"]) == (False, [])
    assert colour["unavailable_reason"] == "This collection does not want colour added."


def test_a_generative_step_is_offered_only_while_a_machine_for_it_lives(
    vera: Desk, now: datetime
) -> None:
    assert step(vera, "redraw")["available"] is False
    model = {"name": "sd15", "licence": "Open RAIL-M", "offers": ["redraw:sd15", "repair:sd15"]}
    presence.announce(
        name="gpu", queues=["generative"], offers=model["offers"], models=[model], now=now
    )
    redraw = step(vera, "redraw")
    assert redraw["available"] is True
    assert "sd15 (Open RAIL-M)" in redraw["help"]
    choices = next(each for each in redraw["settings"] if each["name"] == "model")["choices"]
    assert choices[0] == {"value": "sd15", "label": "sd15 (Open RAIL-M)", "selected": True}
    backends = next(each for each in step(vera, "repair")["settings"] if each["name"] == "backend")
    assert [choice["value"] for choice in backends["choices"]] == ["embedded", "generative"]


def announced(now: datetime, *names: str) -> None:
    """A worker that can run these models, as it lists them."""
    models: list[dict[str, Any]] = [
        {
            "name": row.name,
            "label": row.label,
            "licence": row.licence_label,
            "commercial": row.commercial,
            "offers": [f"{step}:{row.name}" for step in row.pipelines],
        }
        for row in MODELS
        if row.name in names
    ]
    offers = [offer for model in models for offer in model["offers"]]
    presence.announce(name="gpu", queues=["generative"], offers=offers, models=models, now=now)


def test_every_model_is_shown_with_its_licence_and_who_can_run_it(
    vera: Desk, now: datetime
) -> None:
    announced(now, "klein")
    choices = next(s for s in step(vera, "redraw")["settings"] if s["name"] == "model")["choices"]
    first, *rest = choices
    assert first["label"] == "FLUX.2 klein 4B (Apache 2.0, commercial use allowed)"
    assert first["selected"]
    assert all(choice["disabled"] and not choice["selected"] for choice in rest)
    assert len(choices) == len(REDRAWERS)
    qwen = next(each for each in rest if each["value"] == "qwen-edit")
    assert qwen["label"].endswith("commercial use allowed): nobody can run this now")
    assert "disabled" in vera.get("bench").text


def test_a_setting_that_only_some_models_read_is_shown_with_them_alone(
    vera: Desk, now: datetime
) -> None:
    announced(now, "klein")
    assert "control" not in [setting["name"] for setting in step(vera, "redraw")["settings"]]
    announced(now, "klein", "sdxl-tile")
    assert "control" in [setting["name"] for setting in step(vera, "redraw")["settings"]]


def test_colour_may_be_drawn_by_a_model_that_edits(vera: Desk, now: datetime) -> None:
    announced(now, "klein", "sdxl")
    settings = {each["name"]: each for each in step(vera, "colourise")["settings"]}
    assert [each["value"] for each in settings["backend"]["choices"]] == ["embedded", "generative"]
    able = [each["value"] for each in settings["model"]["choices"] if not each.get("disabled")]
    assert able == ["klein"]


def test_the_colours_of_the_volunteers_facts_come_first_in_the_palette(vera: Desk) -> None:
    facts = "the tracksuits are dark red with white stripes (the museum has one)"
    sent = {"rev": 0, "draft": {"prompt": {"colours": facts}}}
    vera.client.put(vera.url("draft"), sent, content_type="application/json")
    labels = [each["label"] for each in vera.get("bench").context["swatches"]]
    assert labels[:2] == ["dark red", "white"]
    assert "flag red" in labels


def test_the_prompt_begins_with_what_the_archive_knows(vera: Desk) -> None:
    type(vera.photo).objects.update(date_edtf="1974-09", place_en="Tehran", people_en="Li Lan")
    fields = {each["name"]: each["value"] for each in vera.get("bench").context["prompt_fields"]}
    assert (fields["period"], fields["place"], fields["who"]) == (
        "September 1974",
        "Tehran",
        "Li Lan",
    )


def test_the_instructions_of_the_collection_are_on_the_page(vera: Desk) -> None:
    Collection.objects.update(instructions_en="Keep the stamp in the corner.")
    assert "Keep the stamp in the corner." in vera.get("bench").text
    Collection.objects.update(instructions_en="", instructions_zh="保留印章。")
    assert '<p lang="zh-Hans">保留印章。</p>' in vera.get("bench").text


# At what sensitivity the assessment looks for damage: what the red veil shows.
SEARCHED_AT = signature(repair.detect).parameters["sensitivity"].default


def test_the_page_tells_the_script_all_it_needs(vera: Desk) -> None:
    assessed(vera)
    page = vera.get("bench").text
    begin = page.index('<script id="bench-config"')
    config = json.loads(page[page.index(">", begin) + 1 : page.index("</script>", begin)])
    assert config["photo"] == {"id": vera.photo.ref, "width": 128, "height": 96}
    assert config["picture"]["sources"][-1]["src"].endswith("/versions/0/full.jpg")
    assert config["mask"]["detected_url"].endswith(f"/sheets/{'d' * 64}.png")
    assert config["mask"]["detected_at"] == SEARCHED_AT == 0.4
    assert config["claim"]["state"] == "open"
    assert vera.claim is not None
    assert all(
        config["urls"][name].endswith(f"?claim={vera.claim.pk}") for name in ("draft", "mask")
    )


def test_another_base_can_be_chosen(vera: Desk) -> None:
    factories.version(vera.photo, vera.user)
    factories.version(vera.photo, vera.user)
    assert vera.get("bench").context["base"]["id"] == 2
    assert vera.get("bench", base="1").context["base"]["id"] == 1
    assert vera.get("bench", base="0").context["base"]["label"] == "scan"
    for nonsense in ("9", "x", "-1"):
        assert vera.get("bench", base=nonsense).context["base"]["id"] == 2


def test_nobody_sees_the_drafts_of_another(vera: Desk, victor: Desk) -> None:
    factories.version(vera.photo, vera.user)
    assert [each["id"] for each in victor.get("bench").context["versions"]] == [0]


def test_a_curator_sees_what_was_submitted(
    vera: Desk, people: Cast, sit: Callable[..., Desk]
) -> None:
    factories.submitted(vera.photo, vera.user)
    factories.version(vera.photo, vera.user)
    appoint(people.cora, vera.photo.collection)
    cora = sit(people.cora, vera.photo, holding=False)
    assert [each["id"] for each in cora.get("bench").context["versions"]] == [0, 1]


def test_queries_stay_the_same_however_many_versions_there_are(vera: Desk) -> None:
    def cost(name: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert vera.get(name).status_code == 200
        return len(queries)

    assessed(vera)
    factories.version(vera.photo, vera.user)
    few = {name: cost(name) for name in ("bench", "strip", "compare")}
    for _each in range(10):
        factories.version(vera.photo, vera.user)
    assert {name: cost(name) for name in few} == few
    assert few["bench"] <= 19
    assert few["strip"] <= 9
    assert few["compare"] <= 7


def test_the_page_is_never_kept_by_a_browser(vera: Desk) -> None:
    assert "no-store" in vera.get("bench")["Cache-Control"]


def test_it_speaks_chinese_to_who_reads_chinese(vera: Desk) -> None:
    vera.client.cookies["django_language"] = "zh-hans"
    answer = vera.client.get(reverse("restoration:bench", args=[vera.photo.ref]))
    assert answer.context["photo"]["title"].startswith("开幕式")
