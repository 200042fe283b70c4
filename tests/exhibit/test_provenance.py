"""What the photo page says of how a picture was made is what was done."""

from __future__ import annotations

import pytest
from django.test import Client

from exhibit.actions import publish_version
from exhibit.arranging import Words
from exhibit.models import Publication
from restoration import telling
from restoration.lifecycle import JobState
from restoration.models import Job
from tests import factories
from tests.exhibit.conftest import LATER, Museum

PROMPT = {"period": "about 1890", "facts": ["coat: blue"], "words": "a sunny morning"}
REPAIR = {"step": "repair", "backend": "embedded", "settings": {"sensitivity": 0.6, "grain": 1.0}}
COLOUR = {"step": "colourise", "backend": "embedded", "settings": {"strength": 0.9}}
REDRAW = {
    "step": "redraw",
    "backend": "generative",
    "settings": {"strength": 0.3},
    "model": {"name": "sd15", "label": "Stable Diffusion 1.5", "licence_label": "Open RAIL-M"},
}


def page(client: Client, museum: Museum, *records: dict[str, object]) -> str:
    """The page of a picture that was made so."""
    photo = factories.photo(museum.collection)
    told = [{"seconds": 1, **record} for record in records]
    version, _review = factories.accepted(
        photo, museum.people.vera, museum.people.cora, records=told
    )
    Job.objects.create(
        photo=photo,
        version=version,
        state=JobState.SUCCEEDED,
        requested_at=factories.NOW,
        plan={"prompt": PROMPT, "seed": 5},
    )
    publish_version(
        version=version, room=museum.room, words=Words(), by=museum.people.sten, now=LATER
    )
    return client.get(f"/exhibits/{museum.exhibit.slug}/{photo.ref}/").text


BY_HAND = "where a person marked damage, or let the machine&#x27;s marks stand"
BY_SEARCH = "How much counts as damage 0.6"


@pytest.mark.parametrize(
    ("mask", "said", "unsaid"), [("given", BY_HAND, BY_SEARCH), ("detected", BY_SEARCH, BY_HAND)]
)
def test_it_is_told_whether_a_person_or_a_search_said_where_the_damage_is(
    client: Client, museum: Museum, mask: str, said: str, unsaid: str
) -> None:
    told = page(client, museum, REPAIR | {"mask": mask})
    assert f"Repair: {said}, Grain kept 1.0" in told
    assert unsaid not in told


def test_a_picture_that_was_only_coloured_is_not_called_cleaned_anywhere(
    client: Client, museum: Museum
) -> None:
    placed = COLOUR | {"dabs": 6, "regions": 0, "settings": {"strength": 0.9, "guess": 0.0}}
    told = page(client, museum, placed)
    notice = "Coloured by machine, from colours a person placed"
    assert f'alt="{notice}: ' in told
    assert "Cleaned" not in told
    made = Publication.objects.latest("pk")
    for address in (f"/published/{made.pk}/manifest.json", f"/exhibits/{museum.exhibit.slug}/"):
        assert notice in client.get(address).text


def test_words_that_no_machine_was_given_are_not_listed(client: Client, museum: Museum) -> None:
    told = page(client, museum, REPAIR)
    for words in ("The words the machine was given", "a sunny morning", "coat: blue"):
        assert words not in told


def test_words_that_a_model_read_are_all_listed(client: Client, museum: Museum) -> None:
    told = page(client, museum, REPAIR, REDRAW)
    for words in ("The words the machine was given", "a sunny morning", "coat: blue"):
        assert words in told


def test_the_facts_that_the_colours_stand_on_are_told_as_what_they_are(
    client: Client, museum: Museum
) -> None:
    told = page(client, museum, COLOUR)
    assert "What is known about the colours" in told
    assert "coat: blue" in told
    assert "a sunny morning" not in told
    assert "The words the machine was given" not in told


def test_the_day_a_scan_came_is_not_called_the_day_it_was_scanned(
    client: Client, museum: Museum
) -> None:
    told = client.get(museum.url).text
    first = told[told.index('<ol class="made-steps">') :].partition("</li>")[0]
    assert "<strong>Received</strong>" in first
    assert "Scanned" not in told


@pytest.mark.parametrize(
    ("marks_only", "told"),
    [
        (True, "of what was painted, only the marks were filled"),
        (False, "of what was painted, all was filled"),
    ],
)
def test_what_became_of_a_painted_mask_is_told_as_what_was_done(
    marks_only: bool, told: str
) -> None:
    given = REPAIR | {"mask": "given", "settings": REPAIR["settings"] | {"marks_only": marks_only}}
    [step] = telling.steps([given])
    assert step.strengths.endswith(f"let the machine's marks stand, {told}, Grain kept 1.0")
    assert "I paint" not in step.strengths


@pytest.mark.parametrize("mask", [{}, {"mask": "detected"}])
def test_without_a_given_mask_a_step_tells_what_it_was_set_to(mask: dict[str, str]) -> None:
    [step] = telling.steps([REPAIR | mask])
    assert step.strengths == "How much counts as damage 0.6, Grain kept 1.0"
