"""The wall: what waits, by wishes, and "give me one"."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from archive.languages import said
from archive.lifecycle import PhotoState
from archive.models import Photo
from archive.policy import Refused
from restoration.actions.giving import give_photo
from restoration.forms import WallForm
from restoration.models import Claim
from restoration.queries import wall as photos
from restoration.views import pictures
from restoration.views.asking import Asked

A_PAGE = 24
# So many pages of the oldest are numbered; who looks for more has wishes.
MOST_PAGES = 200


class Oldest(Paginator[Any]):
    """Pages of a list whose length is known, so that nobody counts a hundred thousand rows."""

    def __init__(self, found: Any, length: int) -> None:
        super().__init__(found, A_PAGE)
        self.length = length

    @cached_property
    def count(self) -> int:
        """How many the pages show."""
        return min(self.length, A_PAGE * MOST_PAGES)


@never_cache
@require_safe
def wall(request: Asked) -> HttpResponse:
    """What waits for hands, oldest first."""
    form = WallForm(request.GET, user=request.user)
    reach, wishes = [each.pk for each in form.collections.values()], form.wishes()
    found = photos.fitting(photos.at_work(reach), wishes)
    counted = photos.counts(reach)
    pages = Oldest(
        found.select_related("collection", "assessment"), photos.how_many(found, wishes, counted)
    )
    page: Page[Any] = pages.get_page(request.GET.get("page"))
    shown = list(page.object_list)
    opened = photos.hands(shown, request.user)
    page.object_list = _cards(shown, opened, request)
    return render(
        request,
        "restoration/wall.html",
        {
            "filters": _filters(form, request.GET, counted, wishes.get("collection")),
            "search": {"words": form.cleaned_data.get("words", ""), "kept": _kept(request.GET)},
            "page": page,
            "query": _query(request.GET),
            "give_one_url": f"{reverse('restoration:give-one')}?{_query(request.GET)}",
            "my_claim": _my_claim(opened, request, reach),
            "is_filtered": bool(wishes),
            "clear_url": reverse("restoration:wall"),
        },
    )


@require_POST
def give_one(request: Asked) -> HttpResponse:
    """Claim one that fits the wishes."""
    wishes = WallForm(request.GET, user=request.user).wishes()
    try:
        claim = give_photo(by=request.user, wishes=wishes, now=timezone.now())
    except Refused as refused:
        if refused.code != "nothing-waits":
            raise
        messages.info(request, str(refused.message))
        return redirect(f"{reverse('restoration:wall')}?{_query(request.GET)}")
    return redirect("restoration:bench", ref=claim.photo.ref)


def _cards(found: Iterable[Photo], opened: list[Claim], request: Asked) -> list[dict[str, Any]]:
    by_photo: dict[int, list[Claim]] = {}
    for claim in opened:
        by_photo.setdefault(claim.photo_id, []).append(claim)
    return [_card(photo, by_photo.get(photo.pk, []), request) for photo in found]


def _card(photo: Any, opened: list[Claim], request: Asked) -> dict[str, Any]:
    """`photo` comes annotated by queries.wall.at_work."""
    title = said(photo, "title")
    mine = next((claim for claim in opened if claim.volunteer_id == request.user.pk), None)
    is_free = len(opened) < photo.slots and not (photo.in_review or photo.is_done)
    shown = mine or (opened[0] if opened and len(opened) >= photo.slots else None)
    return {
        "id": photo.ref,
        "title": title.text or str(photo),
        "title_lang": title.lang,
        "url": reverse("restoration:bench", args=[photo.ref]),
        **pictures.thumbnail(photo),
        "alt": title.text or str(photo),
        "ratio": min(30, max(3, round(10 * photo.width / max(1, photo.height)))),
        "collection": said(photo.collection, "title").text,
        "damage": _damage(photo),
        "wanted": _wanted(photo),
        "state": _state(photo),
        "holder": str(shown.volunteer) if shown else "",
        "until": shown.ends_at if shown else None,
        "mine": mine is not None,
        "claim_url": reverse("restoration:claim", args=[photo.ref]) if is_free else "",
    }


def _damage(photo: Photo) -> str:
    seen = getattr(photo, "assessment", None)
    return str(seen.get_damage_display()) if seen else ""


def _wanted(photo: Any) -> str:
    if photo.was_returned and not (photo.in_review or photo.is_done):
        return _("returned with advice")
    seen = getattr(photo, "assessment", None)
    if seen and seen.is_grey and not photo.collection.do_not_colourise:
        return _("colour wanted")
    return ""


def _state(photo: Any) -> str:
    if photo.is_done:
        return _("done")
    return _("in review") if photo.in_review else ""


def _my_claim(opened: list[Claim], request: Asked, reach: Collection[int]) -> dict[str, Any] | None:
    """The photo in hand; none that is on hold, or in a collection that was closed meanwhile."""
    mine = [
        claim
        for claim in opened
        if claim.volunteer_id == request.user.pk
        and claim.photo.state == PhotoState.READY
        and claim.photo.collection_id in reach
    ]
    if not mine:
        return None
    photo = mine[-1].photo
    url = reverse("restoration:bench", args=[photo.ref])
    return {"title": said(photo, "title").text or str(photo), "url": url}


Counts = Mapping[int, Mapping[str, int]]


def _filters(
    form: WallForm, asked: QueryDict, counted: Counts, one: int | None
) -> list[dict[str, Any]]:
    """The chips; `one`: the key of the collection that is wished for."""
    yes = [("", _("all")), ("on", _("yes"))]
    names = {name: form.fields[name] for name in ("collection", "state", "damage")}
    rows = [(name, field.label, list(field.choices)) for name, field in names.items()]  # type: ignore[attr-defined]
    rows += [(name, form.fields[name].label, yes) for name in ("faces", "colour")]
    totals = {"collection": _by_collection(form, counted), "state": _by_state(counted, one)}
    return [
        {
            "name": name,
            "label": label,
            "choices": _choices(name, choices, asked, totals.get(name, {})),
        }
        for name, label, choices in rows
    ]


def _by_collection(form: WallForm, counted: Counts) -> dict[str, int]:
    """What waits in each."""
    waiting = {slug: counted.get(each.pk, {}) for slug, each in form.collections.items()}
    return {slug: counts.get(photos.WAITING, 0) for slug, counts in waiting.items()}


def _by_state(counted: Counts, one: int | None) -> dict[str, int]:
    """How many are in which state, of the collection that is wished for or of all."""
    found: dict[str, int] = {}
    for counts in [each for key, each in counted.items() if one in (None, key)]:
        for state, count in counts.items():
            found[state] = found.get(state, 0) + count
    return found


def _choices(
    name: str, choices: list[tuple[str, Any]], asked: QueryDict, totals: Mapping[str, int]
) -> list[dict[str, Any]]:
    default = photos.WAITING if name == "state" else ""
    chosen = asked.get(name) or default
    if chosen not in {value for value, _label in choices}:
        chosen = default
    return [
        {
            "label": label,
            "url": _changed(asked, name, value),
            "current": value == chosen,
            "count": totals.get(value),
        }
        for value, label in choices
    ]


def _changed(asked: QueryDict, name: str, value: str) -> str:
    query = asked.copy()
    query.pop("page", None)
    query.pop(name, None)
    if value:
        query[name] = value
    return f"?{query.urlencode()}"


def _query(asked: QueryDict) -> str:
    query = asked.copy()
    query.pop("page", None)
    return query.urlencode()


def _kept(asked: QueryDict) -> list[tuple[str, str]]:
    """The other wishes, for the search form to carry along."""
    kept = asked.dict()
    return [(name, str(kept[name])) for name in kept if name not in ("page", "words")]
