"""The plan of a run: described, listed, and told where it is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from api import plans
from restoration.engine.catalog import CATALOG
from restoration.engine.errors import BadInput
from restoration.engine.plan import Plan
from restoration.models import Assessment, Job, Version
from tests import factories
from tests.api.conftest import Programs
from tests.factories import NOW
from tests.people import person

pytestmark = pytest.mark.django_db

API = "/api/v1"
TONE = {"name": "tone", "settings": {"strength": 0.4}}
DAB = {"x": 0.5, "y": 0.5, "rgb": [1, 2, 3]}


def test_the_example_of_the_description_is_a_plan_that_runs() -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    shape = schema["components"]["schemas"]["Plan"]
    assert Plan.from_json(shape["example"]).scale == 2
    assert shape["required"] == ["steps"]
    said = schema["components"]["schemas"]["RunRequest"]["properties"]["plan"]
    assert "#/components/schemas/Plan" in str(said)


def test_the_steps_are_listed_with_their_settings_in_the_readers_language(
    program: Programs,
) -> None:
    client = program(person("vera"))
    told = {row["name"]: row for row in client.get(f"{API}/steps").json()}
    assert list(told) == [each.name for each in CATALOG if each.name not in ("assess", "guard")]
    assert (told["tone"]["title"], told["tone"]["can_run"]) == ("Tone", True)
    strength = told["tone"]["settings"][0]
    assert (strength["kind"], strength["low"], strength["high"]) == ("float", 0.0, 1.0)
    assert told["redraw"]["can_run"] is False
    chinese = client.get(f"{API}/steps", HTTP_ACCEPT_LANGUAGE="zh-hans").json()
    assert chinese[0]["meaning"] != told[chinese[0]["name"]]["meaning"]


def _asked(program: Programs, plan: Any) -> Any:
    vera, photo = person("vera"), factories.photo(factories.collection())
    told = {"claim": factories.claim(photo, vera).pk, "plan": plan}
    return program(vera).post(f"{API}/photos/{photo.ref}/jobs", told, format="json")


def test_a_suggestion_is_sent_back_as_it_came(program: Programs) -> None:
    vera, photo = person("vera"), factories.photo(factories.collection())
    row = {"step": "tone", "settings": {"strength": 0.5}, "reason": "faded", "facts": {"black": 3}}
    Assessment.objects.create(photo=photo, suggestions=[row], made_at=NOW)
    client, claim = program(vera), factories.claim(photo, vera)
    rows = client.get(f"{API}/photos/{photo.ref}").json()["assessment"]["suggestions"]
    told = {"claim": claim.pk, "plan": {"steps": rows}}
    answer = client.post(f"{API}/photos/{photo.ref}/jobs", told, format="json")
    assert answer.status_code == 201, answer.json()
    assert Job.objects.get().plan["steps"][0]["settings"]["strength"] == 0.5


@pytest.mark.parametrize(
    ("plan", "code", "place"),
    [
        ({"steps": [TONE, {"name": "denoise", "settings": {"grain": 7}}]}, "setting-range",
         "/plan/steps/1/settings/grain"),
        ({"steps": [{"name": "tone", "settings": {"gamma": 1}}]}, "unknown-setting",
         "/plan/steps/0/settings/gamma"),
        ({"steps": [TONE, {"name": "sharpen"}]}, "unknown-step", "/plan/steps/1/name"),
        ({"steps": [{**TONE, "backend": "cloud"}]}, "unknown-backend", "/plan/steps/0/backend"),
        ({"steps": [{**TONE, "strength": 1}]}, "unknown-field", "/plan/steps/0/strength"),
        ({"steps": [TONE], "sed": 1, "maks": None}, "unknown-field", "/plan/maks"),
        ({"steps": [TONE, {"step": "sharpen"}]}, "unknown-step", "/plan/steps/1/step"),
        ({"steps": [TONE], "a/b~c": 1}, "unknown-field", "/plan/a~1b~0c"),
        ({"steps": [TONE], "seed": -1}, "bad-seed", "/plan/seed"),
        ({"steps": [TONE], "seed": "x"}, "wrong-type", "/plan/seed"),
        ({"steps": []}, "no-steps", "/plan/steps"),
        ({"steps": [TONE, TONE]}, "step-twice", "/plan/steps"),
        ({"steps": [{"name": "colourise"}]}, "no-colour-hints", "/plan/dabs"),
        ({"steps": [TONE], "dabs": [DAB, {**DAB, "x": 2}]}, "bad-place", "/plan/dabs/1"),
        ({"steps": [TONE], "prompt": {"where": "Tehran"}}, "unknown-field", "/plan/prompt/where"),
        ({"steps": [TONE], "mask_sha256": "0" * 64}, "unknown-mask", "/plan/mask_sha256"),
    ],
)  # fmt: skip
def test_a_wrong_plan_is_told_with_its_place(
    program: Programs, plan: Any, code: str, place: str
) -> None:
    answer = _asked(program, plan)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    [error] = answer.json()["errors"]
    assert (error["field"], error["code"]) == (place, code)
    assert "page" not in error["detail"]


def test_a_step_under_two_names_is_one_too_many() -> None:
    with pytest.raises(BadInput):
        Plan.from_json(plans.read({"steps": [{"name": "tone", "step": "denoise"}]}))


def test_the_same_run_twice_is_one_run_until_it_has_ended(program: Programs) -> None:
    vera, photo = person("vera"), factories.photo(factories.collection())
    told = {"claim": factories.claim(photo, vera).pk, "plan": {"steps": [TONE]}}
    client, url = program(vera), f"{API}/photos/{photo.ref}/jobs"
    first, second = (client.post(url, told, format="json") for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    other = client.post(url, {**told, "plan": {"steps": [TONE], "seed": 1}}, format="json")
    assert other.status_code == 201
    client.post(f"{API}/jobs/{first.json()['id']}/cancel")
    assert client.post(url, told, format="json").status_code == 201
    assert Version.objects.count() == 1
