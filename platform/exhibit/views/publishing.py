"""For curators: make an accepted version public, hide it, take it down."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from archive import pictures, rights, storage
from archive.models import Collection
from archive.policy import Refused
from archive.saying import WordsMoved
from archive.templatetags.languages import localised
from exhibit import actions, packing, policy, queries, showing, tasks, wording
from exhibit.forms import PublishForm, ReasonForm
from exhibit.models import Exhibit, Placement, Publication, Room
from exhibit.views.editor import INVALID, Asked
from restoration.lifecycle import PublicationState, VersionState
from restoration.models import Version


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def publish(request: Asked, pk: int) -> HttpResponse:
    """Choose a room and words for an accepted version, look once more, publish."""
    version, rooms = _version(request, pk), _rooms(request)
    begun = _begun(version, rooms, request.GET.get("exhibit", ""))
    latest = queries.latest(version.photo)
    begun["was_retracted"] = latest is not None and latest.state == PublicationState.RETRACTED
    form = PublishForm(request.POST or None, rooms=rooms, photo=version.photo, **begun)
    if form.is_valid():
        try:
            return _published(request, version, form)
        except WordsMoved as moved:
            form.show(moved)
        except Refused as refusal:
            if version.state != VersionState.ACCEPTED:
                raise  # nobody was led to this form
            form.add_error(None, str(refusal.message))  # beside what was written
    acceptance = queries.acceptance(version)
    context = {
        "version": version,
        "photo": version.photo,
        "rights_unknown": version.photo.collection.rights_uri in rights.UNKNOWN,
        "form": form,
        "compare": showing.before_publishing(version),
        "acceptance": acceptance,
        "latest": latest,
        "second": policy.needs_second(request.user, version, acceptance),
        "in_doubt": policy.bytes_in_doubt(version.photo_id),
    }
    return render(request, "exhibit/publish.html", context, status=INVALID if form.errors else 200)


def _published(request: Asked, version: Version, form: PublishForm) -> HttpResponse:
    room = form.cleaned_data["room"]
    publication = actions.publish_version(
        version=version,
        room=room,
        words=form.words(),
        titles=form.titles(),
        although_retracted=form.cleaned_data.get("although_retracted", False),
        only_of=form.only_of(),
        by=request.user,
        now=timezone.now(),
    )
    messages.success(request, _told(publication, room.exhibit))
    return redirect("exhibit:edit", room.exhibit.slug)


def _told(publication: Publication, exhibit: Exhibit) -> str:
    """That it is published, and where to see it; or that visitors do not, and what lets them."""
    told = _("“%(title)s” is published.") % {"title": showing.called(publication.photo)}
    if queries.in_public(publication) is not None:
        url, link = reverse("exhibit:permalink", args=[publication.pk]), _("See it")
    else:
        closed = _("The exhibit is not open yet, so no visitor sees it.")
        told = f"{told} {closed}"
        url, link = f"{reverse('exhibit:edit', args=[exhibit.slug])}#open", _("Open the exhibit")
    return format_html('{} <a href="{}">{}</a>', told, url, link)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def retract(request: Asked, pk: int) -> HttpResponse:
    """Take a picture down for good, with a reason."""
    publication = _publication(request, pk)
    form = ReasonForm(request.POST or None)
    if form.is_valid():
        actions.retract_publication(
            publication=publication,
            by=request.user,
            reason=form.cleaned_data["reason"],
            now=timezone.now(),
        )
        told = _("“{title}” is taken down. Its page says when and why.")
        messages.success(request, _named(told, publication))
        return _back(publication)
    context = {"publication": publication, "photo": publication.photo, "form": form}
    return render(request, "exhibit/retract.html", context, status=INVALID if form.errors else 200)


@require_POST
def suspend(request: Asked, pk: int) -> HttpResponse:
    """Hide a picture while something is looked into."""
    publication = _publication(request, pk)
    reason = request.POST.get("reason", "").strip()[:1000]
    if actions.suspend_publication(
        publication=publication, by=request.user, reason=reason, now=timezone.now()
    ):
        told = _("“{title}” is hidden from the public until you show it again.")
        messages.success(request, _named(told, publication))
    else:
        told = _("You have hidden “{title}” already; nothing has changed.")
        messages.info(request, _named(told, publication))
    return _back(publication)


@require_POST
def resume(request: Asked, pk: int) -> HttpResponse:
    """Show a hidden picture again."""
    publication = _publication(request, pk)
    actions.resume_publication(publication=publication, by=request.user, now=timezone.now())
    # Where no open exhibit shows it, it is not public yet.
    is_public = queries.in_public(publication) is not None
    told = _("“{title}” is public again.") if is_public else _("“{title}” is not hidden any more.")
    messages.success(request, _named(told, publication))
    return _back(publication)


def _named(sentence: str, publication: Publication) -> SafeString:
    """A sentence with the photo's title in it: the page that shows it has many pictures."""
    photo = publication.photo
    return format_html(sentence, title=localised(photo, "title", wording.untitled(photo)))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def evidence(request: Asked, pk: int) -> HttpResponse:
    """Ask for a publication's evidence pack, see how far it is, and take it."""
    publication = _publication(request, pk)
    if request.method == "POST":
        actions.ask_for_evidence(publication=publication, by=request.user, now=timezone.now())
        return redirect("exhibit:evidence", pk)
    asked = queries.packs(publication).first()
    if asked is not None and asked.is_waiting:
        tasks.ring_again(evidence=asked, now=timezone.now())
    context = {
        "publication": publication,
        "photo": publication.photo,
        "evidence": asked,
        "sentence": wording.EVIDENCE_FAILED.get(asked.failed, "") if asked else "",
    }
    return render(request, "exhibit/evidence.html", context)


@never_cache
@require_safe
def pack(request: Asked, pk: int) -> HttpResponseBase:
    """The newest evidence pack of a publication, as a ZIP."""
    publication = _publication(request, pk)
    made = queries.packs(publication).exclude(made_at=None).first()
    if made is None or not storage.exists(storage.evidence_key(made.sha256)):
        messages.warning(request, _("There is no such pack any more; ask for it once more."))
        return redirect("exhibit:evidence", pk)
    name = f"{packing.name_of(publication)}.zip"
    key = storage.evidence_key(made.sha256)
    return pictures.respond(
        key, content_type="application/zip", public=False, filename=name, request=request
    )


def _version(request: Asked, pk: int) -> Version:
    mine = Collection.objects.curated_by(request.user)
    rows = Version.objects.filter(photo__collection__in=mine)
    return get_object_or_404(rows.select_related("photo__collection", "made_by"), pk=pk)


def _publication(request: Asked, pk: int) -> Publication:
    mine = Collection.objects.curated_by(request.user)
    rows = Publication.objects.filter(photo__collection__in=mine)
    return get_object_or_404(rows.select_related("photo__collection"), pk=pk)


def _rooms(request: Asked) -> QuerySet[Room]:
    mine = Exhibit.objects.arranged_by(request.user)
    rooms = Room.objects.filter(exhibit__in=mine).select_related("exhibit__collection")
    return rooms.order_by("exhibit__slug", "position", "pk")


def _begun(version: Version, rooms: QuerySet[Room], slug: str) -> dict[str, Any]:
    """What the form starts from: the words of a photo that hangs already, and a room of the
    exhibit from whose page one comes.
    """
    hung = _hung(version, slug)
    room = next((each for each in rooms if each.exhibit.slug == slug), None)
    if room is None or (hung is not None and hung.room.exhibit_id == room.exhibit_id):
        return {"instance": hung}
    return {"instance": hung, "initial": {"room": room.pk}}


def _hung(version: Version, slug: str) -> Placement | None:
    """The photo's place when it hangs already, the one in that exhibit if there is one."""
    rows = Placement.objects.filter(photo=version.photo_id).select_related("room__exhibit")
    hung = list(rows.in_order())
    there = (each for each in hung if each.room.exhibit.slug == slug)
    return next(there, hung[0] if hung else None)


def _back(publication: Publication) -> HttpResponse:
    hung = Placement.objects.filter(photo=publication.photo_id).select_related("room__exhibit")
    placement = hung.first()
    if placement is None:
        return redirect("exhibit:manage")
    return redirect("exhibit:edit", placement.room.exhibit.slug)
