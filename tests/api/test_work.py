"""Claim, draft, run, submit, review, publish: the whole way by programs."""

import hashlib
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from rest_framework.test import APIClient

from archive import storage
from archive.actions import hold_photo, withdraw_photo
from exhibit.actions import publish_version
from exhibit.arranging import Words
from restoration.models import Job, Version
from tests import factories
from tests.api.conftest import Programs
from tests.people import appoint, cast, person

pytestmark = pytest.mark.django_db

API = "/api/v1"
TONE = {"steps": [{"name": "tone", "settings": {"strength": 0.4}}]}


def _post(client: APIClient, path: str, told: dict[str, Any] | None = None) -> Any:
    answer = client.post(f"{API}/{path}", told or {}, format="json")
    assert answer.status_code in (200, 201), answer.json()
    return answer.json()


def test_from_claim_to_exhibit(program: Programs) -> None:
    people, box = cast(), factories.collection(two_person=True)
    appoint(people.cora, box)
    appoint(people.clive, box)
    photo, room = factories.photo(box), factories.room(box)
    vera, cora, clive = (program(each) for each in (people.vera, people.cora, people.clive))

    claim = _post(vera, f"photos/{photo.ref}/claim")
    assert (claim["state"], claim["volunteer"]) == ("open", "Vera")
    job = _post(vera, f"photos/{photo.ref}/jobs", {"claim": claim["id"], "plan": TONE})
    assert (job["state"], job["progress"]) == ("queued", 0)
    made = factories.version(photo, people.vera)  # the worker's part
    assert _post(vera, f"versions/{made.pk}/submit", {"note": "Look"})["state"] == "submitted"
    assert vera.get(f"{API}/claims/{claim['id']}").json()["state"] == "fulfilled"

    waits = cora.get(f"{API}/desk").json()["results"]
    assert [row["version"]["id"] for row in waits] == [made.pk]
    assert waits[0]["open_to_me"]
    review = _post(cora, f"versions/{made.pk}/review")
    decided = _post(cora, f"reviews/{review['id']}/accept", {"advice": "Thank you."})
    assert (decided["state"], decided["file_sha256"]) == ("accepted", made.sha256)

    words = {"version": made.pk, "room": room.pk, "caption_en": "The opening"}
    same = cora.post(f"{API}/publications", words, format="json")
    assert (same.status_code, same.json()["code"]) == (403, "second-person")
    public = _post(clive, "publications", words)
    assert public["state"] == "live"

    told = APIClient().get(f"{API}/exhibits/{room.exhibit.slug}").json()
    hangs = told["rooms"][0]["placements"][0]
    assert (hangs["photo"], hangs["caption_en"]) == (photo.ref, "The opening")
    assert hangs["made"]["credits"][0]["name"] == "Vera"
    assert hangs["original"].endswith(f"/published/{public['id']}/original/1600.jpg")

    _post(clive, f"publications/{public['id']}/retract", {"reason": "A wish of the family."})
    told = APIClient().get(f"{API}/exhibits/{room.exhibit.slug}").json()
    assert told["rooms"][0]["placements"] == []


def test_a_return_carries_the_advice(program: Programs) -> None:
    people, box = cast(), factories.collection()
    appoint(people.cora, box)
    made = factories.submitted(factories.photo(box), people.vera)
    cora = program(people.cora)
    review = _post(cora, f"versions/{made.pk}/review")
    path = f"{API}/reviews/{review['id']}/return"
    silent = cora.post(path, {"reason": "damage"}, format="json")
    assert silent.json()["errors"][0]["field"] == "/advice"
    told = {"reason": "damage", "advice": "The crease on the right is still there."}
    assert cora.post(path, told, format="json").json()["state"] == "returned"
    late = cora.post(path, told, format="json")
    assert (late.status_code, late.json()["code"]) == (409, "review-closed")


def test_a_review_is_released_and_declined(program: Programs) -> None:
    people, box = cast(), factories.collection()
    appoint(people.cora, box)
    made = factories.submitted(factories.photo(box), people.vera)
    cora = program(people.cora)
    review = _post(cora, f"versions/{made.pk}/review")
    assert _post(cora, f"reviews/{review['id']}/beat")["state"] == "open"
    assert _post(cora, f"reviews/{review['id']}/release")["state"] == "lapsed"
    review = _post(cora, f"versions/{made.pk}/review")
    told = {"reason": "not-chosen", "advice": "Another one was chosen."}
    assert _post(cora, f"reviews/{review['id']}/decline", told)["state"] == "declined"
    assert cora.get(f"{API}/reviews/{review['id']}").json()["reason"] == "not-chosen"


def test_nobody_reviews_own_work(program: Programs) -> None:
    people, box = cast(), factories.collection()
    appoint(people.cora, box)
    made = factories.submitted(factories.photo(box), people.cora)
    answer = program(people.cora).post(f"{API}/versions/{made.pk}/review")
    assert (answer.status_code, answer.json()["code"]) == (403, "own-work")


def test_a_claim_beats_extends_and_is_released(program: Programs) -> None:
    vera = person("vera")
    photo, client = factories.photo(factories.collection()), program(vera)
    claim = _post(client, f"photos/{photo.ref}/claim")
    path = f"claims/{claim['id']}"
    assert _post(client, f"{path}/beat")["seen_at"] > claim["seen_at"]
    assert _post(client, f"{path}/extend")["extended"] is True
    again = client.post(f"{API}/{path}/extend")
    assert again.json()["code"] == "not-extendable"
    assert _post(client, f"{path}/release")["state"] == "released"
    assert client.get(f"{API}/claims", {"state": "open"}).json()["count"] == 0


def test_a_curator_revokes_and_a_volunteer_does_not(program: Programs) -> None:
    people, box = cast(), factories.collection()
    appoint(people.cora, box)
    claim = factories.claim(factories.photo(box), people.vera)
    own = program(people.vera).post(f"{API}/claims/{claim.pk}/revoke")
    assert (own.status_code, own.json()["code"]) == (403, "not-curator")
    assert program(people.victor).get(f"{API}/claims/{claim.pk}").status_code == 404
    assert _post(program(people.cora), f"claims/{claim.pk}/revoke")["state"] == "revoked"


def test_a_draft_is_kept_and_given_back(program: Programs) -> None:
    vera, photo = person("vera"), factories.photo(factories.collection())
    claim, client = factories.claim(photo, vera), program(vera)
    url = f"{API}/photos/{photo.ref}/draft"
    assert client.get(url).status_code == 404
    told = {"claim": claim.pk, "rev": 0, "body": {"seed": 3}}
    assert client.put(url, told, format="json").json()["rev"] == 1
    assert client.get(url).json()["body"]["seed"] == 3
    stale = client.put(url, told | {"claim": claim.pk + 1}, format="json")
    assert stale.json()["code"] == "no-claim"


def test_a_run_is_watched_and_cancelled_by_its_owner_alone(program: Programs) -> None:
    people = cast()
    photo = factories.photo(factories.collection())
    claim = factories.claim(photo, people.vera)
    vera = program(people.vera)
    told = {"claim": claim.pk, "plan": TONE}
    job = _post(vera, f"photos/{photo.ref}/jobs", told)
    assert Job.objects.get().plan["steps"][-1]["name"] == "guard"
    assert program(people.victor).get(f"{API}/jobs/{job['id']}").status_code == 404
    assert program(people.victor).post(f"{API}/jobs/{job['id']}/cancel").status_code == 404
    assert _post(vera, f"jobs/{job['id']}/cancel")["state"] == "cancelled"
    over = vera.post(f"{API}/jobs/{job['id']}/cancel")
    assert (over.status_code, over.json()["code"]) == (409, "job-over")
    assert vera.get(f"{API}/jobs", {"state": "cancelled"}).json()["count"] == 1


def test_a_plan_without_a_step_is_refused(program: Programs) -> None:
    vera, photo = person("vera"), factories.photo(factories.collection())
    told = {"claim": factories.claim(photo, vera).pk, "plan": {"steps": []}}
    answer = program(vera).post(f"{API}/photos/{photo.ref}/jobs", told, format="json")
    assert (answer.status_code, answer.json()["code"]) == (422, "no-steps")


def test_a_run_does_not_start_from_another_photos_version(program: Programs) -> None:
    vera, box = person("vera"), factories.collection()
    photo, other = factories.photo(box), factories.photo(box)
    claim, elsewhere = factories.claim(photo, vera), factories.version(other, vera)
    told = {"claim": claim.pk, "source": elsewhere.pk, "plan": TONE}
    answer = program(vera).post(f"{API}/photos/{photo.ref}/jobs", told, format="json")
    assert answer.status_code == 404


def _mask() -> SimpleUploadedFile:
    stream = io.BytesIO()
    Image.new("L", (128, 96), 255).save(stream, "PNG")
    return SimpleUploadedFile("mask.png", stream.getvalue(), content_type="image/png")


def test_a_mask_is_kept_and_named_in_a_plan(program: Programs) -> None:
    vera, photo = person("vera"), factories.photo(factories.collection())
    client = program(vera)
    url = f"{API}/photos/{photo.ref}/masks"
    assert client.post(url, {"file": _mask()}).json()["code"] == "no-claim"
    claim = factories.claim(photo, vera)
    sha256 = client.post(url, {"file": _mask()}).json()["sha256"]
    assert storage.exists(storage.sheet_key(sha256))
    plan = {"steps": [{"name": "repair"}], "mask_sha256": sha256}
    _post(client, f"photos/{photo.ref}/jobs", {"claim": claim.pk, "plan": plan})
    gone = plan | {"mask_sha256": hashlib.sha256(b"no").hexdigest()}
    told = {"claim": claim.pk, "plan": gone}
    answer = client.post(f"{API}/photos/{photo.ref}/jobs", told, format="json")
    assert answer.json()["code"] == "unknown-mask"
    wrong = SimpleUploadedFile("mask.png", b"GIF89a")
    assert client.post(url, {"file": wrong}).json()["code"] == "mask-not-png"


def test_a_retouch_is_taken_in_under_its_parent(program: Programs, settings: Any) -> None:
    vera, photo = person("vera"), factories.photo(factories.collection())
    claim, parent = factories.claim(photo, vera), factories.version(photo, vera)
    client, url = program(vera), f"{API}/versions/{parent.pk}/retouch"
    file = SimpleUploadedFile("better.tif", b"II*\0 better")
    answer = client.post(url, {"claim": claim.pk, "file": file, "note": "Dust by hand"})
    assert (answer.status_code, answer.json()["kind"]) == (201, "retouch")
    settings.MAX_UPLOAD_BYTES = 600
    for size, state in ((900, 422), (9000, 413)):  # the second is not even read
        large = SimpleUploadedFile("better.tif", b"I" * size)
        refused = client.post(url, {"claim": claim.pk, "file": large})
        assert (refused.status_code, refused.json()["code"]) == (state, "file-too-large")


def test_a_working_file_is_downloaded_by_those_who_see_the_version(program: Programs) -> None:
    people, box = cast(), factories.collection()
    appoint(people.cora, box)
    photo = factories.photo(box, bytes_too=True)
    made = factories.version(photo, people.vera, image=factories.picture(7))
    url = f"{API}/versions/{made.pk}/download"
    answer = program(people.vera).get(url)
    assert answer.status_code == 200
    assert f'filename="{photo.ref}-v1.tif"' in answer["Content-Disposition"]
    content = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    assert hashlib.sha256(content).hexdigest() == made.sha256
    for other in (people.victor, people.cora):  # a draft is its maker's alone
        assert program(other).get(url).status_code == 404
    assert APIClient().get(url).status_code == 401
    small = program(people.vera).get(f"{API}/versions/{made.pk}/pictures/400.jpg")
    assert (small.status_code, small["Content-Type"]) == (200, "image/jpeg")
    assert program(people.vera).get(f"{API}/versions/{made.pk}/maps/none").status_code == 404


def test_a_version_is_withdrawn_by_its_maker(program: Programs) -> None:
    people, box = cast(), factories.collection()
    appoint(people.cora, box)
    made = factories.submitted(factories.photo(box), people.vera)
    refused = program(people.cora).post(f"{API}/versions/{made.pk}/withdraw")
    assert (refused.status_code, refused.json()["code"]) == (403, "not-yours")
    assert _post(program(people.vera), f"versions/{made.pk}/withdraw")["state"] == "withdrawn"


def test_the_tree_shows_each_what_they_may_see(program: Programs) -> None:
    people, box = cast(), factories.collection()
    appoint(people.cora, box)
    photo = factories.photo(box)
    factories.submitted(photo, people.vera)
    factories.version(photo, people.vera)

    def seen(client: APIClient) -> list[int]:
        rows = client.get(f"{API}/photos/{photo.ref}/versions").json()["results"]
        return [row["number"] for row in rows]

    assert seen(program(people.vera)) == [0, 1, 2]
    assert seen(program(people.cora)) == [0, 1]
    assert seen(program(people.victor)) == [0]
    assert Version.objects.count() == 3


def test_closed_exhibits_are_not_public(program: Programs) -> None:
    people, box = cast(), factories.collection()
    appoint(people.cora, box)
    room = factories.room(box)
    exhibit = room.exhibit
    exhibit.is_open = False
    exhibit.save()
    assert APIClient().get(f"{API}/exhibits").json()["count"] == 0
    assert APIClient().get(f"{API}/exhibits/{exhibit.slug}").status_code == 404
    assert program(people.cora).get(f"{API}/exhibits/{exhibit.slug}").status_code == 200


@pytest.mark.parametrize("verb", [hold_photo, withdraw_photo])
def test_what_is_held_back_does_not_hang_for_programs_either(verb: Callable[..., None]) -> None:
    people, box = cast(), factories.collection()
    room = factories.room(box)
    photo = factories.photo(box)
    version, _review = factories.accepted(photo, people.vera, people.sten)
    words = Words(caption_en="In the harbour")
    publish_version(version=version, room=room, words=words, by=people.sten, now=factories.NOW)

    def hung() -> list[str]:
        told = APIClient().get(f"{API}/exhibits/{room.exhibit.slug}").json()
        return [each["caption_en"] for each in told["rooms"][0]["placements"]]

    assert hung() == ["In the harbour"]
    verb(photo=photo, by=people.sten, reason="The family asked.", now=factories.NOW)
    assert hung() == []


def test_a_program_is_given_a_photo_that_fits_its_wishes(program: Programs) -> None:
    people, box = cast(), factories.collection()
    other = factories.collection()
    factories.photo(box)
    wanted = factories.photo(other)
    vera, victor = program(people.vera), program(people.victor)
    assert _post(vera, "claims", {"collection": other.slug})["photo"] == wanted.ref
    answer = victor.post(f"{API}/claims", {"collection": other.slug}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing-waits")
    bad = victor.post(f"{API}/claims", {"damage": "huge"}, format="json")
    assert (bad.status_code, bad.json()["code"]) == (422, "invalid")
