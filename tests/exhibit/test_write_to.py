"""Somebody knows who is in a picture: whom they write to, and about which address."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.test import Client

from config import kept_pages
from tests.exhibit.conftest import Museum

QUESTION = (
    "Do you know who or what is in this picture, is something wrong with it,"
    " or should it not be shown?"
)
CHINESE = {"HTTP_ACCEPT_LANGUAGE": "zh-hans"}
STAYS = "http://testserver.example/published/"


@pytest.fixture(autouse=True)
def _site(settings: Any) -> None:
    settings.SITE_URL = "http://testserver.example"
    settings.CONTACT_MAIL = "steward@site.example"


def letter(page: str) -> tuple[str, str, dict[str, str]]:
    """The words of the link, to whom it is, and how the letter begins."""
    [(href, words)] = re.findall(r'<a href="(mailto:[^"]*)">(.*?)</a>', page)
    parts = urlsplit(unescape(href))
    return words, parts.path, dict(parse_qsl(parts.query, strict_parsing=True))


def test_a_visitor_can_write_to_the_collection_about_a_picture(
    client: Client, museum: Museum
) -> None:
    museum.collection.contact = "photos@museum.example"
    museum.collection.save()
    page = client.get(museum.url).text
    assert QUESTION in page
    words, to, told = letter(page)
    assert words == f"Write to {museum.collection.institution_en}"
    assert to == "photos@museum.example"
    assert told["subject"] == "About the picture “The first gold medal”"
    assert f"{STAYS}{museum.publication.pk}/" in told["body"]


def test_where_the_collection_names_nobody_it_goes_to_who_runs_the_site(
    client: Client, museum: Museum
) -> None:
    words, to, _told = letter(client.get(museum.url).text)
    assert (words, to) == ("Write to those who run this site", "steward@site.example")


def test_where_nobody_can_be_written_to_nothing_is_asked(
    client: Client, museum: Museum, settings: Any
) -> None:
    settings.CONTACT_MAIL = ""
    page = client.get(museum.url).text
    assert QUESTION not in page
    assert "mailto:" not in page


@pytest.mark.parametrize(
    "title",
    ["50% & more? #1", 'A+B = "C"', "Tom &amp; Ann\r\nBcc: x@y.example", "金牌 <b>", "é" * 150],
)
def test_an_odd_title_stands_in_the_subject_and_changes_nothing_else(
    title: str, client: Client, museum: Museum
) -> None:
    museum.photo.title_en = title
    museum.photo.save()
    _words, to, told = letter(client.get(museum.url).text)
    assert to == "steward@site.example"
    assert set(told) == {"subject", "body"}
    assert told["subject"] == f"About the picture “{title}”"


def test_an_odd_address_is_still_one_address(client: Client, museum: Museum) -> None:
    museum.collection.contact = "a&b?c%d@museum.example"
    museum.collection.save()
    page = client.get(museum.url).text
    assert "mailto:a%26b%3Fc%25d@museum.example?subject=" in page
    assert set(letter(page)[2]) == {"subject", "body"}


def test_a_name_in_the_other_language_carries_its_tag(client: Client, museum: Museum) -> None:
    museum.collection.contact = "photos@museum.example"
    museum.collection.institution_zh = ""
    museum.collection.save()
    page = client.get(museum.url, **CHINESE).text
    words, _to, _told = letter(page)
    assert f'<span lang="en">{museum.collection.institution_en}</span>' in words


def test_the_address_that_stays_is_text_among_the_facts(client: Client, museum: Museum) -> None:
    page = client.get(museum.url).text
    facts = page[page.index('<dl class="facts photo-story">') :].partition("</dl>")[0]
    assert f'<span id="address">{STAYS}{museum.publication.pk}/</span>' in facts
    # Only a script can copy, so only a script shows the button.
    button = re.search(r"<button[^>]*data-copy[^>]*>", facts)
    assert button
    assert " hidden" in button[0]


def test_a_new_address_of_the_site_or_the_collection_is_on_the_page_at_once(
    client: Client, museum: Museum, pages_kept: None
) -> None:
    assert "steward@site.example" in client.get(museum.url).text
    museum.collection.contact = "photos@museum.example"
    museum.collection.save()
    kept_pages.belief.looked_at = 0.0
    assert "photos@museum.example" in client.get(museum.url).text
    # The site's own stands in pages that another start of the same software has kept.
    assert "CONTACT_MAIL" in kept_pages.MADE_WITH
