"""Choose a model: the choice is kept while its machine is away, and nothing else is run for it."""

from __future__ import annotations

from datetime import datetime
from html.parser import HTMLParser
from typing import Any

import pytest

from restoration import presence
from restoration.engine.generative.rows import MODELS
from restoration.models import Draft, Job

from .conftest import Desk

NOBODY = "nobody can run this now"
REFUSED = "No machine that can run this step is on at the moment."
WORDS = {"words": "a calm sea"}
REPAIR = {"backend": "generative", "model": "z-image-turbo", "strength": 0.6}
REDRAW = {"model": "sdxl-tile", "strength": 0.45, "control": 0.8, "faces": 0.1}


def on(now: datetime, *names: str, at: str = "gpu") -> None:
    """A worker that can run these models, listed in this order."""
    found = {row.name: row for row in MODELS}
    models = [
        {
            "name": name,
            "label": found[name].label,
            "licence": found[name].licence_label,
            "commercial": found[name].commercial,
            "offers": [f"{step}:{name}" for step in sorted(found[name].pipelines)],
        }
        for name in names
    ]
    offers = [offer for model in models for offer in model["offers"]]
    presence.announce(name=at, queues=["generative"], offers=offers, models=models, now=now)


class Form(HTMLParser):
    """What a browser without a script sends of the recipe: nothing of what is disabled."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.sent: dict[str, str] = {}
        self.inside, self.select, self.area = False, "", ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.inside = told.get("id") == "recipe"
        name = told.get("name", "")
        if not self.inside or "disabled" in told:
            return
        if tag == "select":
            self.select = name
        elif tag == "option":
            self._option(told)
        elif tag == "textarea":
            self.sent[name], self.area = "", name
        elif tag == "input" and name and (told.get("type") != "checkbox" or "checked" in told):
            self.sent[name] = told.get("value", "")

    def _option(self, told: dict[str, str]) -> None:
        if "selected" in told or self.select not in self.sent:
            self.sent[self.select] = told["value"]

    def handle_data(self, data: str) -> None:
        if self.area:
            self.sent[self.area] += data

    def handle_endtag(self, tag: str) -> None:
        self.inside, self.area = self.inside and tag != "form", ""


def form(desk: Desk) -> dict[str, str]:
    return Form(desk.get("bench").text).sent


def keep(desk: Desk, **steps: dict[str, Any]) -> None:
    """Have these steps switched on in the draft, as the page's script saves it."""
    switched = {name: {"on": True, "settings": settings} for name, settings in steps.items()}
    sent = {"rev": 0, "draft": {"steps": switched, "prompt": WORDS}}
    answer = desk.client.put(desk.url("draft"), sent, content_type="application/json")
    assert answer.status_code == 200


def kept(desk: Desk, step: str) -> dict[str, Any]:
    draft = Draft.objects.get(photo=desk.photo, volunteer=desk.user)
    found: dict[str, Any] = draft.body["steps"][step]
    return found


def shown(desk: Desk, step: str) -> dict[str, Any]:
    steps = desk.get("bench").context["steps"]
    found: dict[str, Any] = next(each for each in steps if each["name"] == step)
    return found


def models_of(desk: Desk, step: str) -> dict[str, dict[str, Any]]:
    """The choices of a model, by name."""
    row = next(row for row in shown(desk, step)["settings"] if row["name"] == "model")
    return {choice["value"]: choice for choice in row["choices"]}


@pytest.mark.parametrize("here", [(), ("sd15",)], ids=["no machine", "one with another model"])
@pytest.mark.parametrize(("step", "said"), [("repair", REPAIR), ("redraw", REDRAW)])
def test_it_is_shown_as_chosen_sent_again_and_refused_by_the_run(
    vera: Desk, now: datetime, step: str, said: dict[str, Any], here: tuple[str, ...]
) -> None:
    keep(vera, **{step: said})
    if here:
        on(now, *here)
    chosen = models_of(vera, step)[said["model"]]
    assert chosen["selected"]
    assert chosen["label"].endswith(NOBODY)
    answer = vera.post("run", data=form(vera))
    assert (answer.status_code, Job.objects.count()) == (409, 0)
    assert REFUSED in answer.text
    assert kept(vera, step)["on"]
    assert said.items() <= kept(vera, step)["settings"].items()


def test_once_its_machine_is_back_it_is_run_with(vera: Desk, now: datetime) -> None:
    keep(vera, repair=REPAIR, redraw=REDRAW)
    vera.post("run", data=form(vera))
    on(now, "klein", "z-image-turbo", "sdxl-tile")
    assert vera.post("run", data=form(vera)).status_code == 302
    needs = Job.objects.get().needs
    assert needs == ["embedded", "repair:z-image-turbo", "redraw:sdxl-tile"]


def test_another_model_or_the_sites_own_way_may_be_chosen_instead(
    vera: Desk, now: datetime
) -> None:
    keep(vera, repair=REPAIR)
    on(now, "sd15")
    assert not models_of(vera, "repair")["sd15"].get("disabled")
    vera.post("run", data=form(vera) | {"repair-model": "sd15"})
    assert Job.objects.get().needs == ["embedded", "repair:sd15"]
    presence.farewell(name="gpu")
    backends = shown(vera, "repair")["settings"][0]
    assert [choice["value"] for choice in backends["choices"]] == ["embedded", "generative"]
    vera.htmx("run", data=form(vera) | {"repair-backend": "embedded"})
    assert Job.objects.latest("pk").needs == ["embedded"]


def test_a_step_that_only_models_can_do_may_be_left_out_and_keeps_its_settings(
    vera: Desk, now: datetime
) -> None:
    keep(vera, tone={}, redraw=REDRAW)
    page = vera.get("bench").text
    assert "No machine that can do this is on at the moment." in page
    sent = form(vera)
    assert sent.pop("step-redraw") == "on"
    assert vera.post("run", data=sent).status_code == 302
    assert shown(vera, "redraw")["available"] is False
    vera.post("run", data=form(vera))
    on(now, "klein", "sdxl-tile")
    assert kept(vera, "redraw")["on"] is False
    assert REDRAW.items() <= kept(vera, "redraw")["settings"].items()
    assert models_of(vera, "redraw")["sdxl-tile"]["selected"]


def test_a_model_that_waits_for_the_sites_own_way_to_be_left_is_not_forgotten(
    vera: Desk, now: datetime
) -> None:
    keep(vera, repair=REPAIR | {"backend": "embedded"})
    assert shown(vera, "repair")["settings"][0]["name"] == "sensitivity"
    vera.post("run", data=form(vera))
    assert Job.objects.get().needs == ["embedded"]
    on(now, "klein", "z-image-turbo")
    assert models_of(vera, "repair")["z-image-turbo"]["selected"]
    assert kept(vera, "repair")["settings"]["strength"] == REPAIR["strength"]


def test_a_model_that_no_row_knows_any_more_is_named_and_refused(vera: Desk, now: datetime) -> None:
    keep(vera, redraw=REDRAW | {"model": "abacus"})
    on(now, "klein")
    assert models_of(vera, "redraw")["abacus"]["label"] == f"abacus: {NOBODY}"
    answer = vera.post("run", data=form(vera))
    assert "“abacus” is not there for “Model” in “Redraw”" in answer.text
    assert kept(vera, "redraw")["settings"]["model"] == "abacus"


def test_a_generative_step_without_a_model_is_shown_though_nobody_is_there(vera: Desk) -> None:
    keep(vera, repair={"backend": "generative"})
    assert not any(choice["selected"] for choice in models_of(vera, "repair").values())
    answer = vera.post("run", data=form(vera))
    assert REFUSED in answer.text
    assert kept(vera, "repair")["settings"]["backend"] == "generative"


def test_what_a_collection_does_not_want_does_not_come_back_by_a_draft(vera: Desk) -> None:
    keep(vera, colourise={"backend": "generative", "model": "klein"})
    type(vera.photo.collection).objects.update(do_not_colourise=True)
    colour = shown(vera, "colourise")
    assert (colour["available"], colour["on"], colour["settings"]) == (False, False, [])
    assert "step-colourise" not in form(vera)


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_which_one_is_meant_when_none_is_chosen_is_not_for_the_machines_names_to_say(
    vera: Desk, now: datetime, names: tuple[str, str]
) -> None:
    on(now, "sd15", "sd15-inpaint", at=names[0])
    on(now, "sdxl", "klein", at=names[1])
    first, *_rest = models_of(vera, "repair")
    assert first == "klein"
    sent = {"base": "0", "step-repair": "on", "repair-backend": "generative"}
    vera.post("run", data=sent | {"prompt-words": "a calm sea"})
    assert Job.objects.get().needs == ["embedded", "repair:klein"]
    assert list(models_of(vera, "repair"))[:4] == ["klein", "sdxl", "sd15-inpaint", "sd15"]


def test_a_model_that_only_a_newer_worker_knows_comes_last(vera: Desk, now: datetime) -> None:
    new = {"name": "aardvark", "licence": "MIT", "offers": ["redraw:aardvark"]}
    presence.announce(
        name="a", queues=["generative"], offers=new["offers"], models=[new], now=now
    )  # fmt: skip
    on(now, "sd15", at="b")
    assert list(models_of(vera, "redraw"))[:2] == ["sd15", "aardvark"]
    assert presence.first_models(now=now)["redraw"] == "sd15"
