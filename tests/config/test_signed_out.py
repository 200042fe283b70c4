"""Signed out in the middle of work: told so in place, asked to sign in again, nothing lost."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from archive.models import Photo
from restoration.models import Draft, Job, Version
from tests import factories
from tests.people import PASSWORD, Cast, cast

HERE = "http://testserver"
DRAFT = {"rev": 0, "draft": {"prompt": {"words": "a sunny morning"}}}


@pytest.fixture
def people(db: None) -> Cast:
    return cast()


@pytest.fixture
def photo(people: Cast) -> Photo:
    return factories.photo(factories.collection(), bytes_too=True)


@pytest.fixture
def bench(photo: Photo) -> str:
    return f"/photos/{photo.ref}/?base=0"


def address(name: str, photo: Photo, *more: object) -> str:
    return reverse(f"restoration:{name}", args=[photo.ref, *more])


def run(photo: Photo, came_from: str) -> Any:
    """Run pressed on a page whose session has ended."""
    headers = {"HX-Request": "true", "HX-Current-URL": came_from}
    return Client().post(address("run", photo), {"base": "0"}, headers=headers)


def way_back(page: str) -> str:
    """Where the page's link to sign in leads back to."""
    link = page.split('href="/account/login/?', 1)[1].split('"', 1)[0]
    return parse_qs(link.replace("&amp;", "&"))["next"][0]


def test_a_script_that_saves_is_told_so_and_led_nowhere(photo: Photo) -> None:
    answer = Client().put(
        address("draft", photo), json.dumps(DRAFT), content_type="application/json"
    )
    assert answer.status_code == 401
    assert answer.json() == {
        "code": "not-signed-in",
        "message": "You are signed out, so nothing was sent.",
    }
    assert answer["Cache-Control"] == "no-store"
    assert not Draft.objects.exists()


def test_a_form_sent_by_a_script_that_reads_json_is_told_so(photo: Photo) -> None:
    answer = Client().post(address("beat", photo), headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (401, "not-signed-in")


def test_run_is_answered_with_a_sentence_and_the_way_back(photo: Photo, bench: str) -> None:
    answer = run(photo, f"{HERE}{bench}#job")
    assert answer.status_code == 401
    assert "You are signed out, so nothing was sent." in answer.text
    assert "<html" not in answer.text
    assert way_back(answer.text) == bench
    assert (answer["HX-Reswap"], answer["HX-Reselect"]) == ("innerHTML", "unset")
    assert not Job.objects.exists()


def test_a_page_that_polls_is_told_so_too(photo: Photo, bench: str) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": f"{HERE}{bench}"}
    answer = Client().get(address("strip", photo), headers=headers)
    assert answer.status_code == 401
    assert "You are signed out." in answer.text
    assert way_back(answer.text) == bench


def polled(bench: str, target: str, trigger: str) -> Any:
    """What a part of the page asks by itself, every few seconds."""
    headers = {"HX-Request": "true", "HX-Current-URL": f"{HERE}{bench}", "HX-Target": target}
    return Client().get(bench, headers=headers | ({"HX-Trigger": trigger} if trigger else {}))


def test_a_part_that_polls_for_itself_is_replaced_whole_and_asks_no_more(bench: str) -> None:
    answer = polled(bench, "look", "look")
    assert (answer.status_code, answer["HX-Reswap"]) == (401, "outerHTML")
    assert '<div id="look"' in answer.text  # the page's scripts find it there still
    assert "hx-trigger" not in answer.text


def test_what_polls_into_another_place_keeps_that_place(bench: str) -> None:
    for trigger in ("", "job-of-somebody"):
        answer = polled(bench, "job", trigger)
        assert answer["HX-Reswap"] == "innerHTML"
        assert 'id="job"' not in answer.text


def test_only_what_was_sent_takes_the_focus_to_its_answer(photo: Photo, bench: str) -> None:
    """Whoever types while a part of the page polls goes on typing."""
    assert "autofocus" in run(photo, f"{HERE}{bench}").text
    for target, trigger in (("look", "look"), ("job", "")):
        assert "autofocus" not in polled(bench, target, trigger).text


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://example.org/photos/",
        f"{HERE}//example.org/",
        f"{HERE}/\\example.org/",
        "javascript:alert(1)",
        "",
    ],
)
def test_the_way_back_is_a_page_of_this_site(photo: Photo, elsewhere: str) -> None:
    assert way_back(run(photo, elsewhere).text) == "/"


def test_a_page_to_look_at_leads_to_signing_in(bench: str) -> None:
    answer = Client().get(bench)
    assert answer.status_code == 302
    where = urlsplit(answer["Location"])
    assert (where.path, parse_qs(where.query)) == ("/account/login/", {"next": [bench]})


def hand_in(photo: Photo, bench: str, **form: Any) -> Any:
    """ "Submit this version" pressed, without a script, when the session has ended."""
    headers = {"referer": f"{HERE}{bench}"}
    return Client().post(address("submit", photo, 0), form, headers=headers)


class TestAForm:
    def test_is_answered_with_what_was_typed_and_the_way_back(
        self, photo: Photo, bench: str
    ) -> None:
        answer = hand_in(photo, bench, note="See <b> the left edge.\nAnd the badge.")
        assert answer.status_code == 401
        assert "nothing was sent" in answer.text
        assert ">See &lt;b&gt; the left edge.\nAnd the badge.</textarea>" in answer.text
        assert way_back(answer.text) == bench
        assert answer["Cache-Control"] == "no-store"

    def test_shows_every_text(self, photo: Photo, bench: str) -> None:
        typed = {"who": "李雷", "period": "1974", "one": ["first", "[second]"], "short": "a"}
        page = hand_in(photo, bench, **typed).text
        for text in ("李雷", "1974", "first", "[second]", "a"):
            assert f">{text}</textarea>" in page

    def test_shows_no_secrets_and_nothing_that_only_the_page_wrote(
        self, photo: Photo, bench: str
    ) -> None:
        secret = {"csrfmiddlewaretoken": "s3cr", "oldpassword": "s3cr", "password1": "s3cr"}
        secret |= {"api_token": "s3cr", "code": "s3cr", "client-secret": "s3cr"}
        own = {"step-tone": "on", "tone-strength": "0.5", "base": "12", "mask": "0a" * 32}
        own |= {"dabs": "[]", "regions": '[{"x": 0.1}]', "empty": "  "}
        page = hand_in(photo, bench, **secret, **own).text
        assert "s3cr" not in page
        assert "<textarea" not in page
        assert "This stood in the form" not in page

    def test_shows_no_file(self, photo: Photo, bench: str) -> None:
        file = SimpleUploadedFile("a.txt", b"words in a file", content_type="text/plain")
        page = hand_in(photo, bench, file=file, note="Dust by hand").text
        assert page.count("<textarea") == 1
        assert "Dust by hand" in page

    def test_leads_back_to_the_first_page_when_nobody_knows_where_from(self, photo: Photo) -> None:
        answer = Client().post(address("submit", photo, 0), {"note": "words"})
        assert way_back(answer.text) == "/"

    def test_is_not_shown_to_who_cannot_prove_that_it_is_theirs(self, photo: Photo) -> None:
        """A page elsewhere cannot have this site show words of its choice."""
        stranger = Client(enforce_csrf_checks=True)
        answer = stranger.post(address("submit", photo, 0), {"note": "words of another"})
        assert answer.status_code == 403
        assert "words of another" not in answer.text

    def test_is_answered_in_the_readers_language(self, photo: Photo, bench: str) -> None:
        headers = {"referer": f"{HERE}{bench}", "accept-language": "zh-hans"}
        answer = Client().post(address("submit", photo, 0), {"note": "words"}, headers=headers)
        assert '<html lang="zh-Hans"' in answer.text


def test_signing_in_leads_back_to_the_bench(people: Cast, photo: Photo, bench: str) -> None:
    client = Client()
    back = way_back(hand_in(photo, bench, note="words").text)
    form = {"login": "vera", "password": PASSWORD, "next": back}
    assert client.post(reverse("account_login"), form)["Location"] == bench
    assert client.get(bench).status_code == 200
    assert Version.objects.filter(photo=photo).count() == 1


def test_the_administration_answers_a_form_in_the_same_way(db: None) -> None:
    answer = Client().post(reverse("admin:index"), {"title": "A long title"})
    assert answer.status_code == 401
    assert "A long title" in answer.text
