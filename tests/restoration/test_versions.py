"""Versions: who sees their pixels, how two are compared, what is taken home."""

from __future__ import annotations

import hashlib
import json
import re
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from archive.lifecycle import PhotoState
from archive.models import Photo
from restoration.models import Job
from restoration.runner import _keep_map
from tests import factories
from tests.people import Cast, appoint

from .conftest import Desk, newest, recipe

Work = Callable[[], list[Job]]


def picture(desk: Desk, number: int, name: str = "400.jpg") -> Any:
    return desk.get("picture", number, name)


@pytest.fixture
def made(vera: Desk, work: Work) -> Desk:
    """Vera's bench with a version of hers."""
    vera.post("run", data=recipe(**{"step-tone": "on", "step-repair": "on"}))
    work()
    return vera


class TestPictures:
    def test_every_size_is_there_and_kept_by_the_browser_alone(self, made: Desk) -> None:
        for name in ("400.jpg", "800.jpg", "1600.jpg", "2560.jpg", "full.jpg"):
            answer = picture(made, 1, name)
            assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg"), name
            assert answer["Cache-Control"].startswith("private")
            assert "immutable" in answer["Cache-Control"]
        assert picture(made, 1, "401.jpg").status_code == 404
        assert picture(made, 7).status_code == 404

    def test_another_volunteer_sees_the_scan_and_no_draft(self, made: Desk, victor: Desk) -> None:
        assert picture(victor, 0).status_code == 200
        assert victor.get("scan", "400.jpg").status_code == 200
        for name in ("picture", "map", "working"):
            last = {"picture": "400.jpg", "map": "repaired", "working": "tif"}[name]
            assert victor.get(name, 1, last).status_code == 404, name

    def test_a_curator_sees_it_from_the_moment_it_is_submitted(
        self, made: Desk, people: Cast, sit: Callable[..., Desk]
    ) -> None:
        appoint(people.cora, made.photo.collection)
        cora, clive = (sit(each, made.photo, holding=False) for each in (people.cora, people.clive))
        assert picture(cora, 1).status_code == 404
        made.post("submit", 1)
        assert picture(cora, 1).status_code == 200
        assert picture(clive, 1).status_code == 404

    def test_a_stranger_reaches_nothing(self, made: Desk) -> None:
        version, ref = newest(made.photo), made.photo.ref
        urls = [
            reverse("restoration:bench", args=[ref]),
            reverse("restoration:scan", args=[ref, "400.jpg"]),
            reverse("restoration:picture", args=[ref, 0, "400.jpg"]),
            reverse("restoration:map", args=[ref, 1, "repaired"]),
            reverse("restoration:working", args=[ref, 1, "tif"]),
            reverse("restoration:sheet", args=[ref, version.maps["repaired"]]),
            reverse("restoration:compare", args=[ref]),
        ]
        for url in urls:
            answer = Client().get(url)
            assert answer.status_code == 302, url
            assert answer["Location"].startswith(reverse("account_login"))

    def test_a_photo_on_hold_hides_the_scan_and_leaves_her_own_work_to_her(
        self, made: Desk
    ) -> None:
        Photo.objects.update(state=PhotoState.ON_HOLD)
        assert made.get("scan", "400.jpg").status_code == 409
        assert picture(made, 1).status_code == 200

    def test_maps_are_pictures_too(self, made: Desk) -> None:
        answer = made.get("map", 1, "repaired")
        assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
        assert made.get("map", 1, "nothing").status_code == 404

    def test_a_large_map_is_smaller_on_a_page_and_whole_when_asked_for(self, vera: Desk) -> None:
        sheet = np.zeros((1000, 4000), np.uint8)
        sheet[501, 2003] = 90
        factories.version(vera.photo, vera.user, maps={"changed": _keep_map(sheet)})
        sizes = [
            struct.unpack(">II", b"".join(answer.streaming_content)[16:24])
            for answer in (
                vera.get("map", 1, "changed", **{"for": "screen"}),
                vera.get("map", 1, "changed"),
            )
        ]
        assert sizes == [(2000, 500), (4000, 1000)]

    def test_the_same_number_of_another_photo_is_another_version(
        self, made: Desk, people: Cast, sit: Callable[..., Desk]
    ) -> None:
        other = sit(people.victor, factories.photo(made.photo.collection, bytes_too=True))
        assert other.get("picture", 1, "400.jpg").status_code == 404


# What a pattern is drawn with, without its id.
PATTERN = re.compile(r'<pattern id="map-main-\w+" width=(.*?)</pattern>', re.DOTALL)


def boxes(page: str) -> str:
    """The part of a page that chooses maps."""
    return page[page.index('<div class="maps">') :]


class TestCompare:
    def test_the_scan_and_the_newest_unless_told(self, made: Desk) -> None:
        shown = made.get("compare").context["compare"]
        assert (shown["left"]["label"], shown["right"]["label"]) == ("scan", "v1")
        assert shown["caption"].startswith("Against the scan, tones apart: ")

    def test_every_map_lies_over_it_with_its_share_its_words_and_its_pattern(
        self, made: Desk
    ) -> None:
        answer = made.get("compare")
        maps = answer.context["compare"]["maps"]
        names = {"doubtful", "changed", "repaired", "coloured_evidence", "coloured_guess"}
        assert {each["name"] for each in maps["layers"]} == names
        assert set(newest(made.photo).maps) == names
        for each in maps["layers"]:
            assert re.fullmatch(r"\d+\.\d\N{NO-BREAK SPACE}%", each["words"])
            assert str(each["help"]).endswith(".")
            assert f'<mask id="map-main-{each["name"]}-where"' in answer.text
            assert f'<pattern id="map-main-{each["name"]}"' in answer.text
            assert made.client.get(each["src"]).status_code == 200
        assert len(set(PATTERN.findall(answer.text))) == len(names)

    def test_a_map_is_laid_over_it_at_once_when_the_address_says_so(self, made: Desk) -> None:
        assert " checked" not in boxes(made.get("compare").text)
        chosen = boxes(made.get("compare", layer=["changed", "repaired"]).text)
        assert chosen.count(" checked") == 2
        assert "<details" in chosen
        assert " open>" in chosen

    def test_the_scan_has_no_maps(self, made: Desk) -> None:
        assert made.get("compare", left="1", right="0").context["compare"]["maps"] is None

    def test_maps_cost_no_queries(self, made: Desk) -> None:
        def cost(right: str) -> int:
            with CaptureQueriesContext(connection) as queries:
                made.get("compare", left="0", right=right)
            return len(queries)

        assert cost("1") == cost("0")

    def test_any_two(self, made: Desk) -> None:
        shown = made.get("compare", left="1", right="0").context["compare"]
        assert (shown["left"]["label"], shown["right"]["label"]) == ("v1", "scan")

    def test_htmx_gets_the_figure_alone(self, made: Desk) -> None:
        url = reverse("restoration:compare", args=[made.photo.ref])
        page = made.client.get(url, headers={"HX-Request": "true"}).text
        assert "<figure" in page
        assert "<html" not in page

    def test_nobody_compares_what_they_may_not_see(self, made: Desk, victor: Desk) -> None:
        shown = victor.get("compare", left="0", right="1").context["compare"]
        assert shown["right"]["label"] == "scan"


class TestDownload:
    def test_the_tiff_is_the_stored_file(self, made: Desk) -> None:
        answer = made.get("working", 1, "tif")
        content = b"".join(answer.streaming_content)
        assert hashlib.sha256(content).hexdigest() == newest(made.photo).sha256
        assert answer["Content-Type"] == "image/tiff"
        assert f'filename="{made.photo.ref}-v1.tif"' in answer["Content-Disposition"]

    def test_the_png_has_the_same_size_and_sixteen_bits(self, made: Desk) -> None:
        answer = made.get("working", 1, "png")
        content = b"".join(answer.streaming_content)
        width, height, bits, colour = struct.unpack(">IIBB", content[16:26])
        assert (width, height, bits, colour) == (128, 96, 16, 2)
        assert answer["Content-Type"] == "image/png"

    def test_the_facts_say_what_it_is_and_how_to_bring_it_back(self, made: Desk) -> None:
        answer = made.get("working", 1, "json")
        facts = json.loads(answer.content)
        version = newest(made.photo)
        assert facts["photo"] == made.photo.ref
        assert (facts["version"], facts["sha256"]) == (1, version.sha256)
        assert (facts["width"], facts["height"], facts["frame"]) == (128, 96, version.frame)
        assert [each["step"] for each in facts["records"]] == ["tone", "repair", "guard"]
        assert facts["bring_back"].startswith("http://testserver/photos/")
        assert "Do not crop" in facts["how"]

    def test_no_other_kind(self, made: Desk) -> None:
        assert made.get("working", 1, "exe").status_code == 404


class TestStrip:
    def test_it_tells_what_made_each_and_from_what(self, made: Desk, work: Work) -> None:
        made.post("run", data=recipe(rev=1, base=1, **{"step-upscale": "on"}))
        work()
        scan, first, second = made.get("strip").context["versions"]
        assert (scan["depth"], first["depth"], second["depth"]) == (0, 1, 2)
        assert (first["parent_label"], second["parent_label"]) == ("scan", "v1")
        assert (first["title"], second["title"]) == ("Tone, Repair", "Enlarge")
        assert (second["thumb_width"], second["maker"]) == (256, "you")
        assert first["guard"]["label"].startswith(("same picture", "look closely", "changed"))

    def test_a_version_of_twice_the_size_lies_twice_as_large_on_the_scan(
        self, made: Desk, work: Work
    ) -> None:
        made.post("run", data=recipe(rev=1, base=1, **{"step-upscale": "on"}))
        work()
        version = newest(made.photo)
        assert (version.width, version.height) == (256, 192)
        assert version.frame[0][0] == 2.0
