"""Run a recipe: the draft is kept, the plan is frozen, a worker makes one version of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime

import pytest
from django.urls import reverse
from django.utils import timezone

from archive import storage
from archive.models import Collection
from restoration import presence
from restoration.lifecycle import JobState, VersionKind
from restoration.models import Draft, Job, Version
from tests import factories

from .conftest import Desk, newest, recipe
from .test_mask import paint, png

Work = Callable[[], list[Job]]
DAB = '[{"x": 0.5, "y": 0.5, "colour": "#b4252c", "word": ""}]'


def job() -> Job:
    return Job.objects.get()


def test_it_makes_a_version_of_the_scan(vera: Desk, work: Work) -> None:
    answer = vera.post("run", data=recipe())
    bench = reverse("restoration:bench", args=[vera.photo.ref])
    assert answer["Location"] == f"{bench}?base=0#job"
    (done,) = work()
    assert (done.state, done.error_code) == (JobState.SUCCEEDED, "")
    made = newest(vera.photo)
    assert (made.number, made.kind, made.made_by) == (1, VersionKind.MACHINE, vera.user)
    assert made.parent == Version.objects.get(number=0)
    assert storage.exists(storage.working_key(made.sha256))
    assert [record["step"] for record in made.records] == ["tone", "guard"]
    page = vera.get("bench")
    assert "Tone 0.5" in page.text
    # The recipe was made for the scan: another try starts there again, until somebody says so.
    assert page.context["base"]["id"] == 0
    assert vera.get("bench", base="1").context["base"]["id"] == 1


def test_the_plan_is_what_was_on_the_bench(vera: Desk) -> None:
    fields = {
        "step-tone": "on",
        "tone-strength": "0.35",
        "tone-cast": "0",
        "prompt-period": "September 1974",
        "prompt-colours": "tracksuits: red\n\nflag: green",
    }
    vera.post("run", data=recipe(**fields))
    plan = job().plan
    assert plan["steps"][0] == {
        "name": "tone",
        "backend": "embedded",
        "settings": {"strength": 0.35, "cast": 0.0},
    }
    assert plan["prompt"]["period"] == "September 1974"
    assert plan["prompt"]["facts"] == ["tracksuits: red", "flag: green"]
    assert (plan["seed"], plan["mask_sha256"]) == (0, None)


def test_the_draft_is_saved_with_it(vera: Desk) -> None:
    vera.post("run", data=recipe())
    draft = Draft.objects.get(volunteer=vera.user)
    assert draft.body["steps"]["tone"]["on"] is True


def test_any_version_one_sees_can_be_the_source(vera: Desk, work: Work) -> None:
    vera.post("run", data=recipe())
    work()
    vera.post("run", data=recipe(rev=1, base=1))
    work()
    assert newest(vera.photo).parent == Version.objects.get(number=1)
    vera.post("run", data=recipe(rev=2, base=0))
    work()
    assert newest(vera.photo).parent == Version.objects.get(number=0)


def test_without_a_word_it_starts_from_ones_newest_version(vera: Desk) -> None:
    factories.version(vera.photo, vera.user)
    vera.post("run", data={**recipe(), "base": ""})
    assert job().source == newest(vera.photo)


def test_a_version_of_somebody_else_cannot_be_the_source(vera: Desk, victor: Desk) -> None:
    factories.version(vera.photo, victor.user)
    assert vera.post("run", data=recipe(base=1)).status_code == 404
    assert not Job.objects.exists()


def test_a_painted_mask_goes_along(vera: Desk, work: Work) -> None:
    sha256 = paint(vera, png(128, 96)).json()["sha256"]
    fields = {"step-repair": "on", "mask": sha256}
    vera.post("run", data=recipe(**fields))
    assert job().plan["mask_sha256"] == sha256
    assert work()[0].state == JobState.SUCCEEDED
    assert newest(vera.photo).notes[0]["code"] == "mask-empty"
    assert "the mask was empty" in vera.get("bench").text


def test_a_mask_that_is_not_there_is_said_so(vera: Desk) -> None:
    answer = vera.post("run", data=recipe(**{"step-repair": "on", "mask": "a" * 64}))
    assert answer.status_code == 422
    assert "The painted mask could not be found" in answer.text


def test_colours_are_those_that_were_seen_or_else_named(vera: Desk, work: Work) -> None:
    marks = [
        {"x": 0.2, "y": 0.2, "colour": "", "word": "red"},
        {"x": 0.8, "y": 0.8, "colour": "#102030", "word": "her coat"},
        {"x": 0.5, "y": 0.5, "word": "土黄"},
    ]
    fields = {"step-colourise": "on", "dabs": json.dumps(marks)}
    vera.post("run", data=recipe(**fields))
    colours = [dab["rgb"] for dab in job().plan["dabs"]]
    assert colours == [[196, 30, 38], [16, 32, 48], [184, 140, 70]]
    assert work()[0].state == JobState.SUCCEEDED
    assert "coloured_evidence" in newest(vera.photo).maps


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"step-none": "on"}, "No step is switched on."),
        ({"step-colourise": "on"}, "“Colour” needs colours."),
        ({"step-tone": "on", "tone-strength": "7"}, "must lie between 0 and 1"),
        ({"step-tone": "on", "tone-strength": "much"}, "is not a value we understand"),
        (
            {
                "step-colourise": "on",
                "dabs": DAB.replace("#b4252c", "").replace('"word": ""', '"word": "gren"'),
            },
            "We do not know the colour “gren”. Did you mean green",
        ),
    ],
)
def test_what_cannot_be_run_is_said_in_a_sentence_and_nothing_is_lost(
    vera: Desk, fields: dict[str, str], sentence: str
) -> None:
    answer = vera.post("run", data=recipe(**fields, **{"prompt-place": "Tehran"}))
    assert answer.status_code == 422
    assert sentence in answer.text
    assert 'value="Tehran"' in answer.text
    assert Draft.objects.get().body["prompt"]["place"] == "Tehran"
    assert not Job.objects.exists()


def test_its_address_opened_anew_leads_to_the_bench(vera: Desk) -> None:
    answer = vera.get("run")
    assert (answer.status_code, answer["Location"]) == (302, f"/photos/{vera.photo.ref}/")


def test_htmx_gets_the_run_or_the_sentence_alone(vera: Desk) -> None:
    refused = vera.htmx("run", data=recipe(**{"step-none": "on"}))
    assert (refused.status_code, "<html" in refused.text) == (422, False)
    assert "No step is switched on." in refused.text
    answer = vera.htmx("run", data=recipe())
    assert f'data-job="{job().pk}"' in answer.text
    assert f'hx-get="{reverse("restoration:job", args=[job().pk])}"' in answer.text
    assert "no-store" in answer["Cache-Control"]


def test_a_program_sends_the_draft_as_json(vera: Desk) -> None:
    draft = {"base": 0, "steps": {"tone": {"on": True, "settings": {"strength": 0.2}}}}
    answer = vera.post("run", data={"draft": draft}, content_type="application/json")
    assert (answer.status_code, answer.json()["job"]) == (201, job().pk)
    bad = vera.post("run", data={"draft": {}, "rev": 1}, content_type="application/json")
    assert (bad.status_code, bad.json()["code"]) == (422, "no-steps")


def test_a_form_of_an_older_tab_is_shown_again_and_can_be_sent_again(vera: Desk) -> None:
    vera.post("run", data=recipe())
    stale = recipe(**{"step-denoise": "on", "prompt-place": "Isfahan"})
    answer = vera.post("run", data=stale)
    assert answer.status_code == 409
    assert "Another tab or device has saved in between." in answer.text
    assert 'value="Isfahan"' in answer.text
    again = vera.post("run", data={**stale, "rev": str(answer.context["config"]["draft"]["rev"])})
    assert again.status_code == 302


def test_a_collection_that_wants_no_colour_refuses_it(vera: Desk) -> None:
    Collection.objects.update(do_not_colourise=True)
    answer = vera.post("run", data=recipe(**{"step-colourise": "on", "dabs": DAB}))
    assert (answer.status_code, Job.objects.count()) == (403, 0)
    assert "does not want colour added" in answer.text


def test_a_generative_step_without_a_machine_is_refused(vera: Desk) -> None:
    fields = {"step-redraw": "on", "prompt-words": "a calm sea"}
    answer = vera.htmx("run", data=recipe(**fields))
    assert (answer.status_code, Job.objects.count()) == (422, 0)
    assert "No machine that can run this step" in answer.text


def announced(*names: str) -> None:
    """A living machine with these models, each for redrawing."""
    models = [
        {"name": each, "licence": "Open RAIL-M", "offers": [f"redraw:{each}"]} for each in names
    ]
    presence.announce(
        name="gpu",
        queues=["generative"],
        offers=["embedded", *(offer for each in models for offer in each["offers"])],
        models=models,
        now=timezone.now(),
    )


def test_the_plan_freezes_the_model_that_was_chosen_or_else_the_first_that_is_there(
    vera: Desk,
) -> None:
    announced("sd15")
    fields = {"step-redraw": "on", "prompt-words": "a calm sea"}
    vera.post("run", data=recipe(**fields))
    assert job().plan["steps"][0]["settings"]["model"] == "sd15"
    assert (job().needs, job().queue) == (["embedded", "redraw:sd15"], "generative")
    announced("sdxl", "sd15")
    vera.htmx("run", data=recipe(**fields, **{"redraw-model": "sd15"}))
    vera.htmx("run", data=recipe(**fields))
    assert [each.needs[1] for each in Job.objects.order_by("pk")[1:]] == [
        "redraw:sd15",
        "redraw:sdxl",
    ]


def test_a_model_that_nobody_offers_is_refused(vera: Desk) -> None:
    announced("sdxl")
    fields = {"step-redraw": "on", "prompt-words": "a calm sea"}
    gone = vera.htmx("run", data=recipe(**fields, **{"redraw-model": "sd15"}))
    assert "No machine that can run this step" in gone.text
    never = vera.htmx("run", data=recipe(**fields, **{"redraw-model": "abacus"}))
    assert "“abacus” is not there for “Model” in “Redraw”" in never.text
    assert not Job.objects.exists()


def test_three_runs_at_once_are_enough(vera: Desk) -> None:
    for number in range(3):
        vera.htmx("run", data=recipe() | {"seed": str(number)})
    answer = vera.htmx("run", data=recipe() | {"seed": "3"})
    assert "3 runs of yours are waiting or running" in answer.text
    assert Job.objects.count() == 3


def test_a_second_press_shows_the_run_that_waits_already(vera: Desk) -> None:
    vera.htmx("run", data=recipe())
    again = vera.htmx("run", data=recipe())
    assert (again.status_code, Job.objects.count()) == (200, 1)
    assert f'data-job="{Job.objects.get().pk}"' in again.text
    vera.htmx("run", data=recipe() | {"seed": "1"})
    assert Job.objects.count() == 2


def test_only_who_holds_the_photo_can_run(vera: Desk, victor: Desk) -> None:
    answer = victor.client.post(victor.url("run"), recipe(), follow=True)
    assert "You do not hold this photo any more" in answer.text
    vera.post("release")
    assert "You do not hold this photo" in vera.htmx("run", data=recipe()).text
    assert not Job.objects.exists()


def test_the_same_plan_gives_the_same_pixels(vera: Desk, work: Work, now: datetime) -> None:
    for rev in range(2):
        vera.post("run", data=recipe(rev=rev, base=0))
        work()
    first, second = Version.objects.filter(number__gt=0)
    assert first.sha256 == second.sha256
