"""The Chinese catalogue says all that the English does, and fills in the same places."""

from __future__ import annotations

import re

from tests.languages.collect import catalogue, chinese, english, forms, key, placeholders, strings

CHINESE = re.compile(r"[\u4e00-\u9fff]")
# Half a sentence in the wrong shape: a Western comma or stop right after a Chinese character.
WESTERN = re.compile(r"[\u4e00-\u9fff][,;:?!]")


def test_every_string_of_the_site_is_in_it() -> None:
    known = {key(message) for message in catalogue()}
    missing = [
        f"{place}: {msgid}"
        for (context, msgid), place in strings().items()
        if (context, msgid) not in known
    ]
    assert not missing, "run `make messages` and translate these"


def test_nothing_is_in_it_that_the_site_does_not_say() -> None:
    used = strings()
    left = [english(message) for message in catalogue() if message.id and key(message) not in used]
    assert not left, "run `make messages`; these are gone from the site"


def test_everything_in_it_is_translated() -> None:
    open_ends = [english(each) for each in catalogue() if each.id and not chinese(each)]
    guesses = [english(each) for each in catalogue() if each.id and each.fuzzy]
    assert not open_ends
    assert not guesses, "these were guessed by msgmerge; read them and remove the mark"


def test_the_same_places_are_filled_in() -> None:
    # A text may leave out the one of two ways to say a month; it may never ask for something new.
    for message in catalogue():
        if message.id:
            given = {place for text in forms(message) for place in placeholders(text)}
            asked = placeholders(chinese(message))
            lax = "no-python-brace-format" in message.flags
            same = asked <= given | {"{number}"} if lax else asked == given
            assert same, f"{english(message)}: {sorted(asked ^ given)}"


def test_it_has_one_plural_form() -> None:
    assert catalogue().num_plurals == 1


def test_its_punctuation_is_chinese() -> None:
    wrong = [
        chinese(message)
        for message in catalogue()
        if message.id and WESTERN.search(chinese(message))
    ]
    assert not wrong


def test_characters_and_digits_are_set_apart() -> None:
    joined = re.compile(r"[\u4e00-\u9fff][A-Za-z0-9]|[A-Za-z0-9][\u4e00-\u9fff]")
    wrong = [
        chinese(message)
        for message in catalogue()
        if message.id and joined.search(_plain(chinese(message)))
    ]
    assert not wrong


def _plain(text: str) -> str:
    """Without placeholders and tags: what stands there is not known yet."""
    return re.sub(r"%\(\w+\)[sd]|\{\w+\}|</?\w+>", "", text)
