"""What is refused comes as a problem detail."""

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from api.problems import handler
from archive.lifecycle import PhotoState
from archive.policy import Refused
from restoration.actions.claims import claim_photo
from restoration.actions.drafts import save_draft
from tests import factories
from tests.api.conftest import Programs
from tests.factories import NOW
from tests.people import cast, person

pytestmark = pytest.mark.django_db

MEMBERS = {"type", "title", "status", "code", "detail"}


def test_a_stranger_is_told_how_to_sign_in() -> None:
    answer = APIClient().get("/api/v1/photos")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Token"
    assert answer.json()["code"] == "not-signed-in"
    assert set(answer.json()) == MEMBERS


def test_an_unknown_address_answers_as_a_program_reads(program: Programs) -> None:
    for client in (APIClient(), program(person("vera"))):
        answer = client.get("/api/v1/no-such-thing")
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
        assert answer.json()["code"] == "not-found"


def test_an_unknown_row_and_a_hidden_row_look_the_same(program: Programs) -> None:
    people = cast()
    closed = factories.photo(factories.collection(is_open=False))
    client = program(people.vera)
    hidden, unknown = client.get(f"/api/v1/photos/{closed.ref}"), client.get("/api/v1/photos/zzz")
    assert (hidden.status_code, hidden.json()) == (unknown.status_code, unknown.json())


def test_a_wrong_method_is_named(program: Programs) -> None:
    answer = program(person("vera")).put("/api/v1/me")
    assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")


def test_broken_json_is_named(program: Programs) -> None:
    photo = factories.photo(factories.collection())
    client = program(person("vera"))
    url = f"/api/v1/photos/{photo.ref}/jobs"
    answer = client.post(url, data="{", content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


def test_each_wrong_field_is_named(program: Programs) -> None:
    photo = factories.photo(factories.collection())
    url = f"/api/v1/photos/{photo.ref}/jobs"
    answer = program(person("vera")).post(url, {"plan": []}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert {row["field"] for row in answer.json()["errors"]} == {"/claim", "/plan"}
    assert {row["code"] for row in answer.json()["errors"]} == {"required", "not_a_dict"}


def test_a_refusal_by_circumstance_is_409_and_by_permission_403(program: Programs) -> None:
    people, box = cast(), factories.collection()
    photo = factories.photo(box)
    claim = claim_photo(photo=photo, by=people.victor, now=timezone.now())
    client = program(people.vera)
    taken = client.post(f"/api/v1/photos/{photo.ref}/claim")
    assert (taken.status_code, taken.json()["code"]) == (409, "already-claimed")
    forbidden = client.patch(f"/api/v1/collections/{box.slug}", {"title_en": "X"}, format="json")
    assert (forbidden.status_code, forbidden.json()["code"]) == (403, "not-curator")
    assert client.post(f"/api/v1/claims/{claim.pk}/release").status_code == 404


def test_what_the_engine_refuses_comes_with_its_facts(program: Programs) -> None:
    vera, photo = person("vera"), factories.photo(factories.collection())
    claim = factories.claim(photo, vera)
    plan = {"steps": [{"name": "tone", "settings": {"strength": 7}}]}
    url = f"/api/v1/photos/{photo.ref}/jobs"
    answer = program(vera).post(url, {"claim": claim.pk, "plan": plan}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (422, "setting-range")
    assert answer.json()["facts"]["setting"] == "strength"
    assert "Strength" in answer.json()["detail"]


def test_the_words_are_in_the_readers_language(program: Programs) -> None:
    client = program(person("vera"))
    answer = client.get("/api/v1/photos/zzz", HTTP_ACCEPT_LANGUAGE="zh-hans")
    assert answer["Content-Language"] == "zh-hans"
    assert answer.json()["code"] == "not-found"


def test_a_draft_that_moved_comes_back_with_what_was_saved(program: Programs) -> None:
    vera, photo = person("vera"), factories.photo(factories.collection())
    claim = factories.claim(photo, vera)
    save_draft(photo=photo, by=vera, rev=0, body={"seed": 1}, fence=claim.pk, now=NOW)
    told = {"claim": claim.pk, "rev": 0, "body": {"seed": 2}}
    answer = program(vera).put(f"/api/v1/photos/{photo.ref}/draft", told, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "draft-moved")
    assert (answer.json()["rev"], answer.json()["body"]) == (1, {"seed": 1})


def test_a_bug_of_ours_is_logged_and_says_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    answer = handler(ZeroDivisionError("the secret of the house"), {})
    assert (answer.status_code, answer.data["code"]) == (500, "our-fault")
    assert "secret" not in str(answer.data)
    assert "ZeroDivisionError" in caplog.text


def test_a_quarantined_photo_says_why(program: Programs) -> None:
    people, box = cast(), factories.collection()
    photo = factories.photo(
        box, state=PhotoState.QUARANTINED, quarantine_code="empty", quarantine_facts={}
    )
    told = program(people.sten).get(f"/api/v1/photos/{photo.ref}").json()
    assert told["in_quarantine_because"] == "The file is empty."


@pytest.mark.parametrize("path", ["/api/v2/photos", "/api/photos", "/api/"])
def test_where_no_edition_is_a_problem_detail_says_so(path: str) -> None:
    answer = APIClient().get(path)
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    assert answer.json()["code"] == "not-found"


def test_a_body_that_is_no_object_is_wrong_as_a_whole(program: Programs) -> None:
    answer = program(person("vera")).post("/api/v1/claims", ["flag"], format="json")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert [each["field"] for each in answer.json()["errors"]] == [""]


def test_a_refusal_keeps_its_facts_and_points_to_the_field(program: Programs) -> None:
    people, box = cast(), factories.collection()
    photo = factories.photo(box)
    url, sten = f"/api/v1/photos/{photo.ref}", program(people.sten)
    date = sten.patch(url, {"date_edtf": "last summer"}, format="json").json()
    assert (date["code"], date["facts"]) == ("date-not-edtf", {"text": "last summer"})
    long = sten.patch(url, {"title_en": "x" * 201}, format="json")
    assert [each["field"] for each in long.json()["errors"]] == ["/title_en"]
    refused = Refused("too-long", "Too long.", invalid=True, facts={"field": "title_en", "most": 1})
    told = handler(refused, {}).data
    assert told["facts"] == {"field": "title_en", "most": 1}
    assert told["errors"] == [{"field": "/title_en", "code": "too-long", "detail": "Too long."}]


def test_who_is_too_late_is_told_only_what_is_so(program: Programs) -> None:
    people, box = cast(), factories.collection()
    photo = factories.photo(box)
    claim_photo(photo=photo, by=people.victor, now=timezone.now())
    told = program(people.vera).post(f"/api/v1/photos/{photo.ref}/claim").json()
    assert told["detail"] == "Someone else took this photo a moment ago."
