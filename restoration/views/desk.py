"""The review desk: what waits, one version under the loupe, and the decision."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.forms import Form
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from archive.languages import said
from archive.models import Collection
from archive.policy import Refused
from archive.queries import alarms_for
from archive.sizes import fit
from archive.templatetags.languages import localised
from restoration import guarding, telling, wording
from restoration.actions import reviews
from restoration.forms import AdviceForm, DeclineForm, ReturnForm
from restoration.lifecycle import ReviewState, VersionState
from restoration.models import Review, Version
from restoration.queries import desk as queries
from restoration.views import panel, pictures
from restoration.views.asking import Asked
from restoration.views.comparing import comparison
from restoration.views.strip import label

PER_PAGE = 30
IN_SIGHT = 12
FORBIDDEN, CONFLICT, INVALID = 403, 409, 422
FORMS: dict[str, type[Form]] = {
    "accept": AdviceForm,
    "return": ReturnForm,
    "decline": DeclineForm,
}


@never_cache
@require_safe
def desk(request: Asked) -> HttpResponse:
    """What waits for review, oldest first."""
    if not Collection.objects.curated_by(request.user).exists():
        raise PermissionDenied
    page = Paginator(queries.waiting(request.user), PER_PAGE).get_page(request.GET.get("page"))
    rows = queries.rows(page.object_list, request.user, now=timezone.now())  # type: ignore[arg-type]
    context = {
        "page": page,
        "rows": [_row(row) for row in rows],
        "query": "",
        "alarms": alarms_for(request.user).count(),
    }
    return render(request, "restoration/desk.html", context)


def _row(row: queries.Waiting) -> dict[str, Any]:
    photo = row.version.photo
    return {
        "row": row,
        "version": row.version,
        "label": label(row.version),
        "guard": guarding.badge(row.version.meters),
        "open_url": reverse("restoration:review-open", args=[row.version.pk]),
        "alt": said(photo, "title").text or str(photo),
        **_thumb(row.version),
    }


def _thumb(version: Version) -> dict[str, Any]:
    width, height = fit(version.width, version.height, pictures.THUMB)
    return {
        "thumb": pictures.address(version, pictures.THUMB),
        "thumb_width": width,
        "thumb_height": height,
    }


@require_POST
def open_review(request: Asked, pk: int) -> HttpResponse:
    """Take one version from the desk."""
    mine = Version.objects.filter(photo__collection__in=Collection.objects.curated_by(request.user))
    version = get_object_or_404(mine.select_related("photo__collection"), pk=pk)
    review = reviews.open_review(version=version, by=request.user, now=timezone.now())
    return redirect("restoration:review", review.pk)


@never_cache
@require_safe
def review(request: Asked, pk: int) -> HttpResponse:
    """One version under the loupe, with all that speaks for and against it."""
    return _loupe(request, _review(request, pk))


def _loupe(request: Asked, found: Review, *, state: int = 200, **bound: Form) -> HttpResponse:
    """The page of a review; a form that was sent back stands open with what was written in it."""
    version, line = found.version, queries.lineage(found.version)
    is_mine = found.state == ReviewState.OPEN and found.reviewer_id == request.user.pk
    is_open = is_mine and version.state == VersionState.SUBMITTED
    against = _against(request, line)
    asked = request.GET.getlist("layer")
    known = panel.archive_says(version.photo)
    context = {
        "review": found,
        "version": version,
        "photo": version.photo,
        "label": label(version),
        "is_open": is_open,
        "waits": _waits(request, version) if found.state == ReviewState.LAPSED else None,
        "seconds_left": _seconds_left(found),
        "compare": _compare(version, against, line, asked),
        "shown": urlencode({"layer": asked}, doseq=True),
        "against": _choices(line, against),
        "facts": panel.photo_facts(version.photo),
        "instructions": said(version.photo.collection, "instructions"),
        "card": guarding.card(version.meters),
        "lineage": [_told(each, known) for each in line],
        "hints": [hint for each in line for hint in telling.hints(_plan(each))],
        "decisions": queries.decisions(version.photo, but=found),
        "queue": _in_sight(request),
        "forms": {kind: _form(kind) for kind in FORMS} | bound if is_open else bound,
        "keys": _keys(),
    }
    return render(request, "restoration/review.html", context, status=state)


def _waits(request: Asked, version: Version) -> dict[str, Any] | None:
    """Its row on the desk, while it is there: who may take it now, or has it."""
    found = queries.waiting(request.user).filter(pk=version.pk)
    return next((_row(row) for row in queries.rows(found, request.user, now=timezone.now())), None)


def _in_sight(request: Asked) -> list[dict[str, Any]]:
    first = queries.waiting(request.user)[:IN_SIGHT]
    return [_row(row) for row in queries.rows(first, request.user, now=timezone.now())]


def _review(request: Asked, pk: int) -> Review:
    return get_object_or_404(queries.reviews_for(request.user), pk=pk)


def _against(request: Asked, line: list[Version]) -> Version:
    """What the version is held against: the scan, unless another ancestor is asked for."""
    wanted = request.GET.get("against", "")
    found = {str(each.number): each for each in line[:-1]}
    return found.get(wanted, line[0])


def _compare(
    version: Version, against: Version, line: list[Version], asked: list[str]
) -> dict[str, Any]:
    for each in line:
        each.photo = version.photo  # the same row; it is not asked for again
    return comparison(against, version, asked=asked, is_open=True)


def _choices(line: list[Version], against: Version) -> list[dict[str, Any]]:
    return [
        {"label": label(each), "number": each.number, "current": each.pk == against.pk}
        for each in line[:-1]
    ]


def _told(version: Version, known: telling.Known) -> dict[str, Any]:
    return {
        "version": version,
        "label": label(version),
        "steps": telling.steps(version.records),
        "words": telling.words(
            _plan(version).get("prompt"), version.records, for_reviewer=True, known=known
        ),
        "notes": _notes(version),
        "guard": guarding.badge(version.meters) if version.parent_id else None,
    }


def _notes(version: Version) -> list[str]:
    """What the steps had to say, where it is worth a sentence."""
    told = [wording.note(each.get("code", ""), each.get("facts")) for each in version.notes]
    return [sentence for sentence in told if sentence]


def _plan(version: Version) -> dict[str, Any]:
    job = getattr(version, "job", None)
    return dict(job.plan) if job else {}


def _form(kind: str, sent: Mapping[str, Any] | None = None) -> Form:
    return FORMS[kind](sent, auto_id=f"{kind}-%s")


def _keys() -> list[dict[str, str]]:
    return [
        {"key": "A", "label": _("accept")},
        {"key": "R", "label": _("return with advice")},
        {"key": "D", "label": _("decline")},
        {"key": "→", "label": _("put back and take the next one")},
        {"key": "←", "label": _("put back and take the one before")},
        {"key": "X", "label": _("flip between the two pictures")},
        {"key": "Z", "label": _("100 percent")},
    ]


@require_POST
def accept(request: Asked, pk: int) -> HttpResponse:
    """Good enough to be published."""
    return _decide(request, pk, "accept", reviews.accept_version, _accepted)


def _decide(
    request: Asked,
    pk: int,
    kind: str,
    verb: Callable[..., None],
    told: Callable[[Review], str],
) -> HttpResponse:
    """By its verb, and on to the next version. Of what was not taken no word is lost."""
    found, form = _review(request, pk), _form(kind, request.POST)
    if not form.is_valid():
        return _loupe(request, found, state=INVALID, **{kind: form})
    try:
        verb(review=found, by=request.user, now=timezone.now(), **form.cleaned_data)
    except Refused as refused:
        if not request.accepts("text/html"):
            raise
        form.add_error(None, str(refused.message))
        state = CONFLICT if refused.conflict else INVALID if refused.invalid else FORBIDDEN
        return _loupe(request, _review(request, pk), state=state, **{kind: form})
    messages.success(request, told(found))
    return _onward(request, found)


def _accepted(found: Review) -> str:
    """What happened, and the way to what is next: the next version hides the one just accepted."""
    photo = found.version.photo
    name = {"title": said(photo, "title").text or photo.ref}
    if photo.collection.two_person:
        return _("“%(title)s” is accepted. A second person of this collection publishes it.") % name
    url = reverse("exhibit:publish", args=[found.version_id])
    told = _("“%(title)s” is accepted. It can be published now.") % name
    return format_html('{} <a href="{}">{}</a>', told, url, _("Publish it"))


def _named(sentence: str, found: Review) -> SafeString:
    """A sentence with the photo and the maker in it: the page that shows it is the next one's."""
    photo, maker = found.version.photo, found.version.made_by
    return format_html(sentence, title=localised(photo, "title", photo.ref), name=maker or "")


@require_POST
def return_(request: Asked, pk: int) -> HttpResponse:
    """Back to its maker, with what would make it accepted."""
    return _decide(request, pk, "return", reviews.return_version, _returned)


def _returned(found: Review) -> str:
    return _named(_("“{title}” went back to {name} with your advice."), found)


@require_POST
def decline(request: Asked, pk: int) -> HttpResponse:
    """It will not be used."""
    return _decide(request, pk, "decline", reviews.decline_version, _declined)


def _declined(found: Review) -> str:
    return _named(_("“{title}” is declined. {name} is told why."), found)


@require_POST
def release(request: Asked, pk: int) -> HttpResponse:
    """Put it back; with `then`, take the next one or the one before."""
    found = _review(request, pk)
    reviews.release_review(review=found, by=request.user, now=timezone.now())
    then = request.POST.get("then", "")
    if then == "next":
        return _onward(request, found)
    if then == "before":
        now = timezone.now()
        return _take(request, queries.before(request.user, found.version, now=now))
    return redirect("restoration:desk")


@never_cache
@require_POST
def beat(request: Asked, pk: int) -> JsonResponse:
    """The open page says that somebody is there, and learns how long the version is theirs."""
    found = _review(request, pk)
    reviews.beat_review(review=found, by=request.user, now=timezone.now())
    return JsonResponse({"state": found.state, "seconds_left": _seconds_left(found)})


def _seconds_left(found: Review) -> int:
    """What the open page counts down from: its own clock may be wrong."""
    return max(0, int((found.lease_until - timezone.now()).total_seconds()))


def _onward(request: Asked, found: Review) -> HttpResponse:
    """To the next version that waits for this person."""
    now = timezone.now()
    return _take(request, queries.next_for(request.user, now=now, after=found.version))


def _take(request: Asked, version: Version | None) -> HttpResponse:
    if version is None:
        messages.info(request, _("Nothing else waits for you at the moment."))
        return redirect("restoration:desk")
    try:
        opened = reviews.open_review(version=version, by=request.user, now=timezone.now())
    except Refused:
        # Somebody was quicker; the desk shows who.
        return redirect("restoration:desk")
    return redirect("restoration:review", opened.pk)
