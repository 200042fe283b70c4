"""Bring back a hand retouch: what belongs becomes a version, what does not is told why."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from numpy.typing import NDArray
from scipy import ndimage

from archive import ingest, storage
from archive.actions import receive_scan
from archive.models import Collection
from archive.trust import Trust
from restoration import ledger, runner
from restoration.actions.jobs import request_job
from restoration.actions.versions import scan_version
from restoration.engine import image as pictures
from restoration.engine.luma import lock_luma
from restoration.engine.plan import Dab, Plan, StepPlan
from restoration.lifecycle import JobState, VersionKind
from restoration.models import Job, Version
from restoration.purses import Entry, EntryKind, Purse, Resource
from tests import factories
from tests.people import Cast, person

from .conftest import Desk, newest

Work = Callable[[], list[Job]]
Pixels = NDArray[np.float32]


def scene(seed: int) -> Pixels:
    """A picture without a pattern: clouds at four scales, which no part or turn of it repeats."""
    rng = np.random.default_rng(seed)
    noise = [ndimage.gaussian_filter(rng.normal(size=(240, 320)), size) for size in (3, 8, 20, 50)]
    grey = sum(each / each.std() for each in noise)
    grey = (grey - grey.min()) / (grey.max() - grey.min())
    return np.repeat(grey.astype(np.float32)[..., None], 3, axis=2)


SCAN = scene(7)


@pytest.fixture
def desk(people: Cast, sit: Callable[..., Desk]) -> Desk:
    """Vera before a photo large enough to be recognised."""
    return sit(people.vera, factories.photo(factories.collection(), image=SCAN))


def tiff(image: Pixels, folder: Path) -> bytes:
    path = folder / "retouch.tif"
    pictures.save(image, path)
    return path.read_bytes()


def bring(
    desk: Desk, content: bytes, *, number: int = 0, note: str = "Dust by hand", **more: Any
) -> Any:
    file = SimpleUploadedFile("café <b>.tif", content, content_type="text/html")
    data = {"file": file, "note": note}
    return desk.client.post(desk.url("retouch", number), data, follow=True, **more)


def retouched() -> Pixels:
    """The scan with a scratch painted over and one corner brightened."""
    image = SCAN.copy()
    image[100:104, 60:200] = image[96:100, 60:200]
    image[:40, :60] = np.clip(image[:40, :60] * 1.2, 0, 1)
    return image


def squeezed(image: Pixels) -> Pixels:
    return np.clip(pictures.resize(image, 240, 220), 0, 1)


def told(desk: Desk) -> str:
    page: str = desk.get("bench").text
    return page


def test_it_becomes_a_child_of_the_version_it_was_made_from(
    desk: Desk, work: Work, tmp_path: Path
) -> None:
    page = bring(desk, tiff(retouched(), tmp_path)).text
    assert 'data-state="queued"' in page
    (job,) = work()
    assert (job.state, job.error_code) == (JobState.SUCCEEDED, "")
    made = newest(desk.photo)
    assert (made.kind, made.parent, made.made_by) == (
        VersionKind.RETOUCH,
        Version.objects.get(number=0),
        desk.user,
    )
    (record,) = made.records
    assert record["settings"]["note"] == "Dust by hand"
    assert made.meters["guard"]["verdict"] in ("pass", "review")
    assert "changed" in made.maps
    assert "retouched by hand" in told(desk)
    assert "“Dust by hand”" in told(desk)


def test_the_same_file_sent_twice_is_taken_in_once(desk: Desk, tmp_path: Path) -> None:
    content = tiff(retouched(), tmp_path)
    bring(desk, content)
    answer = bring(desk, content)
    job = Job.objects.get()
    assert answer.redirect_chain[-1][0].endswith("?base=0#job")
    assert f'data-job="{job.pk}"' in answer.text
    assert Entry.objects.filter(kind=EntryKind.RESERVE).count() == 1
    assert storage.exists(storage.incoming_key(job.plan["upload_sha256"]))


def test_a_program_that_sends_it_twice_is_given_the_same_run(desk: Desk) -> None:
    url = reverse("api:version-retouch", args=[Version.objects.get().pk])
    claim = desk.claim.pk if desk.claim else 0
    answers = [
        desk.client.post(url, {"file": SimpleUploadedFile(name, b"a retouch"), "claim": claim})
        for name in ("a.tif", "a (1).tif")
    ]
    assert [each.status_code for each in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()


@pytest.mark.parametrize("limit", ["runs at once", "time of the day"])
def test_who_presses_twice_at_their_limit_is_given_the_first_as_well(
    desk: Desk, limit: str
) -> None:
    bring(desk, b"a retouch")
    if limit == "runs at once":
        type(desk.user).objects.update(trust=Trust.LIMITED)
    else:
        own = Purse.objects.get(person=desk.user, resource=Resource.CPU)
        with transaction.atomic():
            ledger.give(purse=own, seconds=-ledger.balance(own), by=None, now=timezone.now())
    answer = bring(desk, b"a retouch")
    assert (answer.status_code, Job.objects.count()) == (200, 1)
    assert bring(desk, b"another", headers={"accept": "application/json"}).status_code == 429
    assert not storage.exists(storage.incoming_key(hashlib.sha256(b"another").hexdigest()))


def test_what_is_not_the_same_is_taken_in_besides(desk: Desk) -> None:
    type(desk.user).objects.update(trust=Trust.TRUSTED)
    factories.version(desk.photo, desk.user)
    bring(desk, b"a retouch")
    bring(desk, b"another retouch")
    bring(desk, b"a retouch", number=1)
    bring(desk, b"a retouch", note="Told better")  # or those words would be lost
    assert Job.objects.count() == 4


def test_after_an_answer_the_same_file_is_taken_in_anew(desk: Desk, work: Work) -> None:
    for _ in range(2):
        bring(desk, b"no picture")
        work()
    assert Job.objects.filter(state=JobState.FAILED).count() == 2


@pytest.mark.slow
def test_it_is_held_to_the_faces_that_the_volunteer_drew(
    desk: Desk, work: Work, tmp_path: Path
) -> None:
    box = {"x": 0.1, "y": 0.1, "width": 0.3, "height": 0.4}
    drawn = {"faces": [{**box, "kind": "face"}, {**box, "x": 0.5, "kind": "not"}]}
    sent = {"rev": 0, "draft": drawn}
    desk.client.put(desk.url("draft"), sent, content_type="application/json")
    bring(desk, tiff(retouched(), tmp_path))
    work()
    assert len(newest(desk.photo).meters["guard"]["faces"]) == 1


@pytest.mark.slow
def test_a_larger_one_is_laid_on_the_scan_by_its_scale(
    desk: Desk, work: Work, tmp_path: Path
) -> None:
    large = pictures.resize(retouched(), 480, 640)
    bring(desk, tiff(np.clip(large, 0, 1), tmp_path))
    work()
    made = newest(desk.photo)
    assert (made.width, made.height, made.frame[0][0]) == (640, 480, pytest.approx(2.0))


def test_one_that_slipped_by_some_pixels_is_laid_back_and_says_so(
    desk: Desk, work: Work, tmp_path: Path
) -> None:
    moved = ndimage.shift(retouched(), (1.5, -2, 0), order=3, mode="nearest")
    bring(desk, tiff(np.clip(moved, 0, 1), tmp_path))
    (job,) = work()
    assert (job.state, job.error_code) == (JobState.SUCCEEDED, "")
    made = newest(desk.photo)
    kept = stored_pixels(made)
    inner = (slice(8, -8), slice(8, -8))
    assert np.abs(kept - retouched())[inner].max() < 0.04
    assert np.abs(moved - retouched())[inner].max() > 0.1
    assert made.frame == [[1, 0, 0], [0, 1, 0]]
    assert made.meters["guard"]["verdict"] in ("pass", "review")
    (told,) = made.notes
    assert told["code"] == "realigned"
    assert told["facts"]["pixels"] == pytest.approx(2.5, abs=0.1)
    assert "pixels beside the photo" in desk.get("bench").text


def test_one_that_lies_where_it_should_keeps_its_very_pixels(
    desk: Desk, work: Work, tmp_path: Path
) -> None:
    bring(desk, tiff(retouched(), tmp_path))
    work()
    made = newest(desk.photo)
    assert made.notes == []
    assert np.abs(stored_pixels(made) - retouched()).max() < 1 / 65535


def painted() -> Pixels:
    """The retouch with a third of it washed in red, its brightness as it was."""
    image = retouched()
    area = np.s_[60:180, 100:260]
    image[area] = lock_luma(image[area], image[area] * np.array([1.5, 0.7, 0.7], np.float32))
    return image


@pytest.mark.slow
def test_colour_that_a_hand_brought_is_shown_as_guessed_on_this_and_on_all_that_follow(
    desk: Desk, work: Work, tmp_path: Path
) -> None:
    bring(desk, tiff(painted(), tmp_path))
    (job,) = work()
    assert (job.state, job.error_code) == (JobState.SUCCEEDED, "")
    made = newest(desk.photo)
    area = made.meters["guard"]["coloured_guess_area"]
    assert area == pytest.approx(120 * 160 / (240 * 320), rel=0.1)
    assert made.records[0]["coloured"] == area
    compared = desk.get("compare", left=0, right=made.number).text
    assert f"Colour was added on {100 * area:.1f} % of it." in compared
    guessed = runner._load_sheet(made.maps["coloured_guess"])
    assert (guessed[80:160, 120:240] == 255).mean() > 0.9
    assert not guessed[200:].any()
    bring(desk, tiff(np.clip(painted() * 0.98, 0, 1), tmp_path), number=made.number)
    work()
    assert newest(desk.photo).meters["guard"]["coloured_guess_area"] == pytest.approx(area, rel=0.1)


@pytest.mark.slow
def test_a_collection_that_wants_no_colour_is_brought_none_by_hand(
    desk: Desk, work: Work, tmp_path: Path
) -> None:
    Collection.objects.update(do_not_colourise=True)
    bring(desk, tiff(painted(), tmp_path))
    (job,) = work()
    assert (job.state, job.error_code) == (JobState.FAILED, "colour-added")
    assert "does not want colour added" in told(desk)
    toned = np.clip(retouched() * np.float32([1, 0.95, 0.85]), 0, 1)
    bring(desk, tiff(toned, tmp_path))
    assert work()[-1].state == JobState.SUCCEEDED


@pytest.mark.slow
def test_what_was_filled_before_is_still_marked_on_a_larger_retouch(
    desk: Desk, work: Work, tmp_path: Path
) -> None:
    filled = np.zeros((240, 320), np.uint8)
    filled[100:104, 60:200] = 255
    maps = {"repaired": runner._keep_sheet(filled)}
    factories.version(desk.photo, desk.user, image=retouched(), maps=maps)
    large = np.clip(pictures.resize(retouched(), 480, 640), 0, 1)
    bring(desk, tiff(large, tmp_path), number=1)
    work()
    made = newest(desk.photo)
    sheets = {name: runner._load_sheet(sha256) for name, sha256 in made.maps.items()}
    assert {sheet.shape for sheet in sheets.values()} == {(480, 640)}
    assert (sheets["repaired"] > 0).mean() == pytest.approx((filled > 0).mean(), rel=0.3)
    assert (sheets["repaired"][202:206, 130:390] > 0).all()
    assert made.frame == [[2, 0, 0.5], [0, 2, 0.5]]


def stored_pixels(made: Version) -> Pixels:
    """The pixels of a version as they are kept."""
    return runner._load(made.sha256)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda image: squeezed(image), "has other proportions than the photo"),
        (lambda image: image[:, :240], "shows only a part of the photo"),
        (lambda image: image[24:216, 32:288], "shows only a part of the photo"),
        (lambda image: image[:, ::-1], "is mirrored"),
        (lambda image: image[::-1, ::-1], "is turned by 180"),
        (lambda image: scene(99), "shows another picture"),
        (lambda image: np.full_like(image, 0.5), "shows nothing"),
        (lambda image: image[::4, ::4], "is too small"),
    ],
)
def test_what_does_not_belong_is_told_why_and_what_to_do(
    desk: Desk,
    work: Work,
    tmp_path: Path,
    change: Callable[[Pixels], Pixels],
    sentence: str,
) -> None:
    bring(desk, tiff(np.ascontiguousarray(change(SCAN)), tmp_path))
    (job,) = work()
    assert (job.state, job.attempt) == (JobState.FAILED, 1)
    page = told(desk)
    assert sentence in page
    assert "Your draft and all versions are safe." in page
    assert Version.objects.count() == 1


@pytest.mark.slow
class TestAFailure:
    """Told where the person looks, until something succeeds on this photo; not after."""

    SAID = "shows another picture"

    @pytest.fixture
    def failed(self, desk: Desk, work: Work, tmp_path: Path) -> Desk:
        """Vera with a version, who then brought the wrong file."""
        factories.version(desk.photo, desk.user, image=SCAN)
        bring(desk, tiff(scene(99), tmp_path), number=1)
        work()
        return desk

    def test_is_told_while_nothing_followed(self, failed: Desk) -> None:
        assert self.SAID in told(failed)
        failed.post("release")
        assert self.SAID in told(failed)

    def test_is_not_told_once_the_version_is_handed_in(self, failed: Desk) -> None:
        failed.post("submit", 1)
        page = told(failed)
        assert "Your version waits for a curator." in page
        assert self.SAID not in page

    def test_nor_after_the_version_is_taken_back_or_the_photo_taken_again(
        self, failed: Desk
    ) -> None:
        failed.post("submit", 1)
        failed.post("withdraw", 1)
        failed.post("claim")
        page = told(failed)
        assert "data-recipe" in page
        assert self.SAID not in page

    def test_is_not_told_once_another_version_was_made(
        self, failed: Desk, work: Work, tmp_path: Path
    ) -> None:
        bring(failed, tiff(retouched(), tmp_path), number=1)
        work()
        assert self.SAID not in told(failed)

    def test_is_told_of_a_second_failure_after_that(
        self, failed: Desk, work: Work, tmp_path: Path
    ) -> None:
        bring(failed, tiff(retouched(), tmp_path), number=1)
        work()
        bring(failed, tiff(scene(98), tmp_path), number=1)
        work()
        assert self.SAID in told(failed)


@pytest.mark.slow
def test_a_retouch_whose_very_bytes_came_as_a_scan_too_is_read_where_they_are_kept(
    desk: Desk, work: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archive.tasks._send", lambda _photo_id: None)
    content = tiff(retouched(), tmp_path)
    bring(desk, content)
    scan, _new = receive_scan(
        collection=factories.collection(),
        chunks=[content],
        filename="scan.tif",
        by=person("sten-too", is_steward=True),
        now=timezone.now(),
    )
    ingest.read_photo(photo_id=scan.pk)
    assert not storage.exists(storage.incoming_key(scan.sha256))
    (job,) = work()
    assert (job.state, job.error_code) == (JobState.SUCCEEDED, "")


def test_what_is_no_picture_is_told_so(desk: Desk, work: Work) -> None:
    bring(desk, b"<script>alert(1)</script>")
    (job,) = work()
    assert job.state == JobState.FAILED
    assert "This is not a picture." in told(desk)


def test_without_a_file_it_says_what_is_missing(desk: Desk) -> None:
    answer = desk.client.post(desk.url("retouch", 0), {"note": "Dust <by> hand"}, follow=True)
    assert answer.status_code == 422
    assert "Choose the file that you worked on. Nothing was sent." in answer.text
    assert 'value="Dust &lt;by&gt; hand"' in answer.text  # what was typed is still there
    again = f'name="next" value="/photos/{desk.photo.ref}/?base=0"'
    assert again in answer.text  # another language leads to a page, not to what only takes forms
    assert not Job.objects.exists()


def test_an_empty_file_is_told_so(desk: Desk) -> None:
    answer = bring(desk, b"")
    assert answer.status_code == 422
    assert "That file is empty. Nothing was taken in." in answer.text
    assert not Job.objects.exists()


@pytest.mark.parametrize("form", ["retouch", "submit"])
def test_the_address_of_its_form_opened_anew_leads_to_the_bench(desk: Desk, form: str) -> None:
    """As after signing in again, or from a bookmark of a page that told of a refusal."""
    answer = desk.get(form, 0)
    assert (answer.status_code, answer["Location"]) == (302, f"/photos/{desk.photo.ref}/?base=0")


def test_a_file_past_the_limit_is_not_kept(desk: Desk, settings: Any, tmp_path: Path) -> None:
    settings.MAX_UPLOAD_BYTES = 100_000
    answer = bring(desk, tiff(SCAN, tmp_path))
    assert "The file is too large" in answer.text
    assert 'class="disclosure version-more" open' in answer.text
    assert 'value="Dust by hand"' in answer.text
    assert not Job.objects.exists()


def test_a_hand_on_somebody_elses_draft_is_refused(
    desk: Desk, people: Cast, sit: Callable[..., Desk], tmp_path: Path
) -> None:
    factories.version(desk.photo, desk.user)
    victor = sit(people.victor, desk.photo, holding=False)
    assert bring(victor, tiff(SCAN, tmp_path), number=1).status_code == 404


def test_without_the_photo_in_hand_it_is_refused(desk: Desk, tmp_path: Path) -> None:
    desk.post("release")
    answer = bring(desk, tiff(SCAN, tmp_path), headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (409, "no-claim")
    assert not Job.objects.exists()


@pytest.mark.slow
def test_colour_of_an_ancestor_is_still_told_on_a_retouch_and_on_a_run_after_it(
    desk: Desk, work: Work, tmp_path: Path
) -> None:
    claim, now = desk.claim, timezone.now()
    plan = Plan(
        steps=(StepPlan("colourise"),),
        dabs=(Dab(0.5, 0.5, (200, 60, 40)), Dab(0.2, 0.3, (40, 60, 200))),
        seed=1,
    )
    scan = scan_version(photo=desk.photo, now=now)
    request_job(source=scan, by=claim.volunteer, fence=claim.pk, plan=plan, now=now)
    work()
    coloured = newest(desk.photo)
    with storage.local(storage.working_key(coloured.sha256)) as path:
        bring(desk, tiff(pictures.load(path), tmp_path), number=coloured.number)
    work()
    by_hand = newest(desk.photo)
    again = Plan(steps=(StepPlan("denoise"),), seed=1)
    request_job(source=by_hand, by=claim.volunteer, fence=claim.pk, plan=again, now=now)
    work()
    last = newest(desk.photo)
    for name in ("coloured_evidence", "coloured_guess"):
        share = coloured.meters["guard"][f"{name}_area"]
        assert share > 0
        for child in (by_hand, last):
            assert child.meters["guard"][f"{name}_area"] == share
            assert child.maps[name] == coloured.maps[name]
