"""The curators' pages, through their addresses."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.template.defaultfilters import date
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from archive import actions, ingest, rights
from archive.models import Collection, Event, Photo
from tests import factories
from tests.archive.scans import broken, scan
from tests.factories import NOW
from tests.people import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_bells")]


def sent(client: Client, box: Collection, *files: bytes, **headers: str) -> Any:
    uploads = [SimpleUploadedFile(f"{n}.jpg", each) for n, each in enumerate(files)]
    address = reverse("archive:receive", args=[box.slug])
    return client.post(address, {"files": uploads}, headers=headers or None)


def queries(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert client.get(address).status_code == 200
    return len(seen)


# --- sending -------------------------------------------------------------------------------------
def test_the_script_sends_one_file_and_asks_until_it_is_read(cora: Client, box: Collection) -> None:
    answer = sent(cora, box, scan(), accept="application/json")
    assert answer.status_code == 202
    (item,) = answer.json()["items"]
    assert (item["state"], item["done"], item["name"]) == ("reading", False, "0.jpg")
    photo = Photo.objects.get()
    ingest.read_photo(photo_id=photo.pk)
    answer = cora.get(item["state_url"])
    assert "no-store" in answer["Cache-Control"]
    item = answer.json()
    assert (item["state"], item["done"]) == ("ready", True)
    picture = cora.get(item["thumb"])
    assert picture["Content-Type"] == "image/jpeg"
    assert cora.get(item["photo_url"]).status_code == 200


def test_a_file_that_is_here_already_says_so(cora: Client, box: Collection) -> None:
    sent(cora, box, scan(), accept="application/json")
    ingest.read_photo(photo_id=Photo.objects.get().pk)
    (item,) = sent(cora, box, scan(), accept="application/json").json()["items"]
    assert (item["state"], item["done"]) == ("duplicate", True)
    assert item["message"] == "This very file is in the collection already."


def test_what_cannot_be_read_is_said_in_a_sentence(cora: Client, box: Collection) -> None:
    (item,) = sent(cora, box, broken(), accept="application/json").json()["items"]
    ingest.read_photo(photo_id=Photo.objects.get().pk)
    item = cora.get(item["state_url"]).json()
    assert (item["state"], item["done"], item["thumb"]) == ("quarantined", True, "")
    assert item["message"].startswith("The file breaks off before its end.")
    page = cora.get(item["photo_url"]).content.decode()
    assert "The file breaks off before its end." in page
    assert reverse("archive:read-again", args=[item["ref"]]) in page


def test_a_file_too_large_costs_itself_only(cora: Client, box: Collection, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = len(scan())
    answer = sent(cora, box, scan() + b"x", scan(), accept="application/json")
    assert [item["state"] for item in answer.json()["items"]] == ["failed", "reading"]


def test_a_request_that_would_fill_the_disk_is_stopped_before_it_is_read(
    cora: Client, box: Collection, settings: Any
) -> None:
    settings.MAX_UPLOAD_BYTES = 1000
    assert sent(cora, box, bytes(9000), accept="application/json").status_code == 400
    assert not Photo.objects.exists()


def test_the_plain_form_sends_several_at_once(cora: Client, box: Collection) -> None:
    answer = sent(cora, box, scan(1), scan(2), b"", accept="text/html")
    assert answer.status_code == 302
    assert answer["Location"] == reverse("archive:collection", args=[box.slug])
    page = cora.get(answer["Location"]).content.decode()
    assert "2 scans are being read." in page
    assert Photo.objects.count() == 2


def test_the_plain_form_does_not_speak_of_no_scans(cora: Client, box: Collection) -> None:
    page = cora.get(sent(cora, box, b"", accept="text/html")["Location"]).content.decode()
    assert "The file is empty." in page
    assert "being read" not in page


# --- who may -------------------------------------------------------------------------------------
def addresses(photo: Photo) -> dict[str, str]:
    slug, ref = photo.collection.slug, photo.ref
    of_collection = ("collection", "collection-edit", "upload", "receive")
    of_photo = ("state", "describe", "read-again", "hold", "release", "withdraw", "original")
    return {name: reverse(f"archive:{name}", args=[slug]) for name in of_collection} | {
        name: reverse(f"archive:{name}", args=[ref]) for name in of_photo
    }


POSTED = {"receive", "read-again", "hold", "release", "withdraw"}


def ask(client: Client, name: str, address: str) -> int:
    answer = client.post(address, {"reason": "x"}) if name in POSTED else client.get(address)
    return answer.status_code


@pytest.mark.parametrize("who", ["vera", "clive"])
def test_no_page_answers_somebody_who_does_not_look_after_the_collection(
    who: str, client: Client, people: Cast, box: Collection
) -> None:
    photo = factories.photo(box, bytes_too=True)
    client.force_login(getattr(people, who))
    answers = {name: ask(client, name, each) for name, each in addresses(photo).items()}
    assert set(answers.values()) == {404}, answers
    photo.refresh_from_db()
    assert photo.state == "ready"


def test_a_stranger_is_shown_the_door_everywhere(client: Client, box: Collection) -> None:
    photo = factories.photo(box, bytes_too=True)
    every = addresses(photo) | {
        "picture": reverse("archive:picture", args=[photo.ref, "400.jpg"]),
        "collections": reverse("archive:collections"),
        "new": reverse("archive:collection-new"),
    }
    for name, address in every.items():
        if name in POSTED:
            answer = client.post(address)
            assert answer.status_code == 401, name
            assert 'href="/account/login/?next=' in answer.text
        else:
            answer = client.get(address)
            assert answer.status_code == 302, name
            assert "/account/login/" in answer["Location"]


def test_only_a_steward_sees_the_form_of_a_new_collection(
    client: Client, people: Cast, box: Collection
) -> None:
    address = reverse("archive:collection-new")
    for who, code in ((people.cora, 403), (people.vera, 403), (people.sten, 200)):
        client.force_login(who)
        assert client.get(address).status_code == code


def test_a_volunteer_sees_the_scan_of_an_open_collection_and_not_of_a_closed_one(
    client: Client, people: Cast, box: Collection
) -> None:
    photo = factories.photo(box, bytes_too=True)
    client.force_login(people.vera)
    address = reverse("archive:picture", args=[photo.ref, "400.jpg"])
    assert client.get(address).status_code == 200
    Collection.objects.filter(pk=box.pk).update(is_open=False)
    assert client.get(address).status_code == 404


def test_a_held_photo_is_hidden_from_volunteers_and_shown_to_its_curator(
    client: Client, people: Cast, box: Collection
) -> None:
    photo = factories.photo(box, bytes_too=True)
    actions.hold_photo(photo=photo, by=people.cora, reason="", now=NOW)
    address = reverse("archive:picture", args=[photo.ref, "800.jpg"])
    for who, code in ((people.vera, 404), (people.clive, 404), (people.cora, 200)):
        client.force_login(who)
        assert client.get(address).status_code == code


# --- pictures ------------------------------------------------------------------------------------
def test_a_picture_is_kept_by_this_browser_only(cora: Client, box: Collection) -> None:
    photo = factories.photo(box, bytes_too=True)
    answer = cora.get(reverse("archive:picture", args=[photo.ref, "400.jpg"]))
    assert answer["Cache-Control"] == "private, max-age=31536000, immutable"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["ETag"]


@pytest.mark.parametrize("name", ["5000.jpg", "400.png", "working.tif"])
def test_only_the_known_sizes_have_an_address(name: str, cora: Client, box: Collection) -> None:
    photo = factories.photo(box, bytes_too=True)
    address = reverse("archive:picture", args=[photo.ref, "400.jpg"]).replace("400.jpg", name)
    assert cora.get(address).status_code == 404


def test_the_original_is_a_download_and_never_a_page(cora: Client, box: Collection) -> None:
    sent(cora, box, scan())
    photo = Photo.objects.get()
    address = reverse("archive:original", args=[photo.ref])
    assert cora.get(address).status_code == 404
    ingest.read_photo(photo_id=photo.pk)
    answer = cora.get(address)
    assert b"".join(answer.streaming_content) == scan()
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"] == 'attachment; filename="0.jpg"'


# --- describing ----------------------------------------------------------------------------------
def test_a_description_is_saved_in_both_languages(cora: Client, box: Collection) -> None:
    photo = factories.photo(box)
    address = reverse("archive:describe", args=[photo.ref])
    answer = cora.post(address, {"title_en": "Football", "title_zh": "足球", "date_edtf": "1974?"})
    assert answer.status_code == 302
    photo.refresh_from_db()
    assert (photo.title_en, photo.title_zh, photo.date_edtf) == ("Football", "足球", "1974?")


def test_a_date_that_is_none_is_answered_with_an_example(cora: Client, box: Collection) -> None:
    photo = factories.photo(box)
    address = reverse("archive:describe", args=[photo.ref])
    answer = cora.post(address, {"date_edtf": "harvest 1974", "title_en": "kept while typing"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "“harvest 1974” cannot be read as a date. Write for example 1890, May 1904" in page
    assert "kept while typing" in page


def _seen(page: str) -> str:
    found = re.search(r'name="seen" value="([0-9a-f]{32})"', page)
    assert found, "the form does not say which description it shows"
    return found[1]


def test_two_who_describe_at_once_lose_nothing(cora: Client, box: Collection) -> None:
    photo = factories.photo(box, title_en="Football")
    address = reverse("archive:describe", args=[photo.ref])
    seen = _seen(cora.get(address).text)
    ada = {"title_en": "Our <team>", "place_en": "By the lake", "seen": seen}
    assert cora.post(address, ada).status_code == 302
    cora_too = {"title_en": "The team", "title_zh": "球队", "seen": seen}
    answer = cora.post(address, cora_too)
    photo.refresh_from_db()
    assert (answer.status_code, photo.title_en, photo.place_en) == (
        409,
        "Our <team>",
        "By the lake",
    )
    assert "Somebody else has changed the description in between." in answer.text
    assert "It says now: Our &lt;team&gt;" in answer.text
    assert "It says now: By the lake" in answer.text
    assert "It is empty now." in answer.text
    assert 'value="The team"' in answer.text
    assert cora.post(address, cora_too | {"seen": _seen(answer.text)}).status_code == 302
    photo.refresh_from_db()
    assert (photo.title_en, photo.title_zh) == ("The team", "球队")


def test_a_word_that_is_wrong_keeps_to_what_was_seen(cora: Client, box: Collection) -> None:
    photo = factories.photo(box, title_en="Football")
    address = reverse("archive:describe", args=[photo.ref])
    seen = _seen(cora.get(address).text)
    answer = cora.post(address, {"title_en": "x", "date_edtf": "harvest", "seen": seen})
    assert (answer.status_code, _seen(answer.text)) == (422, seen)


@pytest.mark.parametrize(
    ("written", "kept", "read"),
    [("about 1890", "1890~", "about 1890"), ("1890年代", "189X", "the 1890s")],
)
def test_a_date_may_be_written_as_it_is_on_the_print(
    written: str, kept: str, read: str, cora: Client, box: Collection
) -> None:
    photo = factories.photo(box)
    address = reverse("archive:describe", args=[photo.ref])
    assert "As it is written on the print, for example 1974" in cora.get(address).text
    assert cora.post(address, {"date_edtf": written}).status_code == 302
    photo.refresh_from_db()
    assert photo.date_edtf == kept
    assert f"Visitors read: {read}." in cora.get(address).text


def test_what_once_was_kept_as_a_date_is_no_part_of_the_page(cora: Client, box: Collection) -> None:
    photo = factories.photo(box, date_edtf="<b>1890</b>")
    page = cora.get(reverse("archive:describe", args=[photo.ref])).text
    assert "<b>1890" not in page


@pytest.mark.parametrize(
    ("deed", "then", "asked"),
    [("hold", "on_hold", "Why it should wait"), ("withdraw", "withdrawn", "Why it is withdrawn")],
)
def test_a_hold_and_a_withdrawal_need_a_reason(
    deed: str, then: str, asked: str, cora: Client, box: Collection
) -> None:
    photo = factories.photo(box)
    address = reverse(f"archive:{deed}", args=[photo.ref])
    refused = cora.post(address, {"reason": " "})
    photo.refresh_from_db()
    assert (refused.status_code, photo.state) == (422, "ready")
    _, _, field = refused.text.partition(f'<label for="{deed}-reason">')
    field = field.partition("</form>")[0]
    assert asked in field
    assert "Say why, in a few words" in field
    cora.post(address, {"reason": "The family asks."})
    photo.refresh_from_db()
    assert photo.state == then


@pytest.mark.parametrize(("deed", "said"), [("hold", "On hold"), ("withdraw", "Withdrawn")])
def test_the_page_says_who_took_a_photo_off_the_wall_when_and_why(
    deed: str, said: str, cora: Client, people: Cast, box: Collection
) -> None:
    photo = factories.photo(box)
    page_of = reverse("archive:describe", args=[photo.ref])
    cora.post(reverse(f"archive:{deed}", args=[photo.ref]), {"reason": "The <family> asks."})
    page = cora.get(page_of).text
    assert "The &lt;family&gt; asks." in page
    told = Event.objects.get(photo=photo, verb__in=("photo.on_hold", "photo.withdrawn"))
    read = re.sub(r"<[^>]+>", "", page)
    assert f"{said} · {date(told.at, 'SHORT_DATETIME_FORMAT')}" in read
    assert "· Cora" in read
    client = Client()
    for name in ("vera", "clive"):
        client.force_login(getattr(people, name))
        assert client.get(page_of).status_code == 404


def test_beside_each_button_stands_that_the_published_picture_goes_too(
    cora: Client, box: Collection
) -> None:
    photo = factories.photo(box)
    page = cora.get(reverse("archive:describe", args=[photo.ref])).text
    for deed, said in (
        ("hold", "visitors do not see its published picture"),
        ("withdraw", "its published picture leaves the exhibits"),
    ):
        form = page.partition(f'action="{reverse(f"archive:{deed}", args=[photo.ref])}"')[2]
        assert said in form.partition("</form>")[0]


def test_a_photo_that_is_back_on_the_wall_says_nothing_of_its_hold(
    cora: Client, box: Collection
) -> None:
    photo = factories.photo(box)
    cora.post(reverse("archive:hold", args=[photo.ref]), {"reason": "The family asks."})
    cora.post(reverse("archive:release", args=[photo.ref]))
    assert "The family asks." not in cora.get(reverse("archive:describe", args=[photo.ref])).text


def test_a_reason_that_is_too_long_is_kept_on_the_page(cora: Client, box: Collection) -> None:
    photo = factories.photo(box)
    long = "because " * 70 + "of the last word"
    page = cora.post(reverse("archive:withdraw", args=[photo.ref]), {"reason": long}).text
    photo.refresh_from_db()
    assert photo.state == "ready"
    assert "of the last word" in page
    assert "500" in page
    assert '<details class="disclosure" open>' in page
    assert reverse("archive:describe", args=[photo.ref]) in page.split("set_language")[0]


def test_a_steward_opens_a_collection_in_the_browser(client: Client, people: Cast) -> None:
    client.force_login(people.sten)
    address = reverse("archive:collection-new")
    fields = {
        "slug": "games",
        "institution_en": "Museum",
        "title_en": "Tehran",
        "rights_uri": "http://rightsstatements.org/vocab/NKC/1.0/",
        "is_open": "on",
    }
    wrong = client.post(address, fields | {"slug": "not a slug"})
    assert wrong.status_code == 422
    assert "Use letters from a to z, digits and hyphens only, for example town-archive." in (
        wrong.text
    )
    assert client.post(address, fields).status_code == 302
    box = Collection.objects.get()
    edit = reverse("archive:collection-edit", args=["games"])
    assert 'name="slug"' not in client.get(edit).content.decode()
    client.post(edit, fields | {"title_zh": "德黑兰"})
    box.refresh_from_db()
    assert (box.title_zh, box.slug) == ("德黑兰", "games")


def test_a_curator_says_whom_visitors_write_to(cora: Client, box: Collection) -> None:
    edit = reverse("archive:collection-edit", args=[box.slug])
    page = cora.get(edit)
    assert "for visitors who know who or what is in a picture" in page.text
    fields = {
        name: page.context["form"][name].value() or "" for name in page.context["form"].fields
    }
    wrong = cora.post(edit, fields | {"contact": "the front desk", "title_zh": "德黑兰"})
    assert wrong.status_code == 422
    assert "This is no e-mail address. Write one such as photos@museum.example." in wrong.text
    assert "the front desk" in wrong.text
    assert "德黑兰" in wrong.text
    cora.post(edit, fields | {"contact": "photos@museum.example"})
    box.refresh_from_db()
    assert box.contact == "photos@museum.example"


def test_two_who_change_a_collection_at_once_lose_nothing(cora: Client, box: Collection) -> None:
    edit = reverse("archive:collection-edit", args=[box.slug])
    form = cora.get(edit).context["form"]
    mine = {name: form[name].value() or "" for name in form.fields}
    theirs = {"two_person": True, "rights_uri": rights.RIGHTS[0][0], "title_zh": "德黑兰"}
    Collection.objects.filter(pk=box.pk).update(**theirs)
    late = cora.post(edit, mine | {"title_en": "Tehran"})
    box.refresh_from_db()
    assert (late.status_code, box.title_zh) == (422, "德黑兰")
    assert "Other words than you saw stand here by now." in late.text
    for said in ("It is ticked now.", "It says now: 德黑兰"):
        assert said in late.text
    assert f"It says now: {rights.RIGHTS[0][1]}" in html.unescape(late.text)
    anew = mine | {"title_en": "Tehran", "seen": _seen(late.text)}
    assert cora.post(edit, anew).status_code == 302
    box.refresh_from_db()
    kept = (box.title_en, box.title_zh, box.two_person)
    assert kept == ("Tehran", mine["title_zh"], False)


# --- lists ---------------------------------------------------------------------------------------
def test_the_collection_page_costs_the_same_for_four_photos_and_forty(
    cora: Client, box: Collection
) -> None:
    address = reverse("archive:collection", args=[box.slug])
    for _ in range(4):
        factories.photo(box)
    few = queries(cora, address)
    for _ in range(36):
        factories.photo(box)
    assert queries(cora, address) == few
    assert few <= 8


def test_the_list_of_collections_costs_the_same_for_one_and_for_ten(
    client: Client, people: Cast
) -> None:
    client.force_login(people.sten)
    factories.photo(factories.collection())
    few = queries(client, reverse("archive:collections"))
    for _ in range(9):
        factories.photo(factories.collection())
    assert queries(client, reverse("archive:collections")) == few


def test_photos_are_paged_by_forty_and_filtered_by_state(cora: Client, box: Collection) -> None:
    for _ in range(41):
        factories.photo(box)
    sent(cora, box, broken())
    ingest.read_photo(photo_id=Photo.objects.get(original=None).pk)
    address = reverse("archive:collection", args=[box.slug])
    assert len(cora.get(address).context["page"].object_list) == 40
    assert len(cora.get(address, {"page": 2}).context["page"].object_list) == 2
    page = cora.get(address, {"state": "quarantined"}).context["page"]
    assert [photo.state for photo in page.object_list] == ["quarantined"]


def test_what_was_withdrawn_stands_apart_from_the_others(cora: Client, box: Collection) -> None:
    kept, wrong = factories.photo(box), factories.photo(box)
    Photo.objects.filter(pk=wrong.pk).update(state="withdrawn")
    address = reverse("archive:collection", args=[box.slug])
    shown = cora.get(address)
    assert (list(shown.context["page"].object_list), shown.context["total"]) == ([kept], 1)
    apart = cora.get(address, {"state": "withdrawn"}).context["page"]
    assert list(apart.object_list) == [wrong]
    (row,) = cora.get(reverse("archive:collections")).context["collections"]
    assert row.all == 1


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_page_is_written_in_the_readers_language(
    language: str, cora: Client, box: Collection
) -> None:
    cora.cookies["django_language"] = language
    photo = factories.photo(box)
    every = addresses(photo) | {"collections": reverse("archive:collections")}
    for name in ("collections", "collection", "collection-edit", "upload", "describe"):
        page = cora.get(every[name]).content.decode()
        assert ("德黑兰" in page) is (language == "zh-hans" or name in ("collection-edit",)), name
