"""The curators' pages: collections, what is in them, sending scans, saying what they show."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.http import (
    Http404,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
    StreamingHttpResponse,
)
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
    require_safe,
)

from archive import actions, auditing, pictures, policy, queries, storage, wording
from archive.asking import Asked, collection_of
from archive.forms import WHY, AuditForm, CollectionForm, DescriptionForm, ReasonForm
from archive.lifecycle import PagesAre, PhotoState
from archive.models import Collection, Photo
from archive.policy import Refused
from archive.sizes import NAMES

PER_PAGE = 40


def _photo(request: Asked, ref: str) -> Photo:
    return get_object_or_404(queries.looked_after_by(request.user), ref=ref)


# --- collections ---------------------------------------------------------------------------------
@require_GET
def collections(request: Asked) -> HttpResponse:
    """The collections this person looks after."""
    context = {"collections": queries.collections_of(request.user)}
    return render(request, "archive/collections.html", context)


@require_GET
def collection(request: Asked, slug: str) -> HttpResponse:
    """What is in a collection, and in which state."""
    box = collection_of(request, slug)
    state = request.GET.get("state", "")
    states = queries.states_of(box)
    page = Paginator(queries.photos_of(box, state), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "collection": box,
        "states": states,
        "state": state if state in PhotoState.values else "",
        "total": sum(each.count for each in states if each.state != PhotoState.WITHDRAWN),
        "pairs": queries.waiting_pairs(box),
        "page": page,
        "cards": [queries.card(photo) for photo in page.object_list],
        "query": f"state={state}" if state in PhotoState.values else "",
    }
    return render(request, "archive/collection.html", context)


@require_http_methods(["GET", "POST"])
def new_collection(request: Asked) -> HttpResponse:
    """Open a collection."""
    policy.check_steward(request.user)
    form = CollectionForm(request.POST or None)
    if form.is_valid():
        box = actions.create_collection(by=request.user, fields=form.told(), now=timezone.now())
        return redirect("archive:collection", box.slug)
    return _form_page(request, "archive/collection_form.html", form)


@require_http_methods(["GET", "POST"])
def edit_collection(request: Asked, slug: str) -> HttpResponse:
    """Change what a collection says and the rules it gives."""
    box = collection_of(request, slug)
    form = CollectionForm(request.POST or None, instance=box)
    if form.is_valid():
        told: dict[str, Any] = {"fields": form.told(), "by": request.user, "now": timezone.now()}
        if form.written(partial(actions.change_collection, collection=box, **told)):
            messages.success(request, _("Saved."))
            return redirect("archive:collection", slug)
    return _form_page(request, "archive/collection_form.html", form, collection=box)


def _form_page(request: Asked, template: str, form: Any, **context: Any) -> HttpResponse:
    return render(request, template, {"form": form, **context}, status=422 if form.errors else 200)


# --- sending scans -------------------------------------------------------------------------------
@require_POST
def receive(request: Asked, slug: str) -> HttpResponse:
    """Take what was sent: from the script one file at a time, from the plain form all at once."""
    box = collection_of(request, slug)
    items = [_receive(request, box, file) for file in request.FILES.getlist("files")]
    if not request.accepts("text/html"):
        return JsonResponse({"items": items}, status=202 if items else 400)
    for item in items:
        if item["message"]:
            told = _("{field}: {problem}").format(field=item["name"], problem=item["message"])
            messages.warning(request, told)
    taken = sum(item["state"] == PhotoState.READING for item in items)
    if taken:
        text = ngettext("%(count)d scan is being read.", "%(count)d scans are being read.", taken)
        messages.info(request, text % {"count": taken})
    return redirect("archive:collection", slug)


def _receive(request: Asked, box: Collection, file: UploadedFile[Any]) -> dict[str, Any]:
    try:
        photo, new = actions.receive_scan(
            collection=box,
            chunks=file.chunks(),
            filename=file.name or "",
            by=request.user,
            now=timezone.now(),
            pages=request.POST.get("pages", ""),
        )
    except Refused as refused:
        failed = {"state": "failed", "label": _("not taken"), "done": True}
        return {"name": file.name, "message": str(refused.message), **failed}
    return file_item(photo, new=new)


def file_item(photo: Photo, *, new: bool = True) -> dict[str, Any]:
    """One file as js/upload.js reads it; the template partials/_upload.html says the same."""
    item = {
        "name": photo.filename,
        "ref": photo.ref,
        "state": photo.state,
        "label": photo.get_state_display(),
        "message": _message(photo),
        "done": photo.state != PhotoState.READING,
        "state_url": reverse("archive:state", args=[photo.ref]),
        "photo_url": reverse("archive:describe", args=[photo.ref]),
        "thumb": "",
    }
    if photo.state == PhotoState.READY:
        item["thumb"] = reverse("archive:picture", args=[photo.ref, "400.jpg"])
    if not new and photo.state != PhotoState.READING:
        told = item["message"] or _("This very file is in the collection already.")
        item |= {"state": "duplicate", "label": _("already here"), "message": told}
    return item


def _message(photo: Photo) -> str:
    if photo.state != PhotoState.QUARANTINED:
        return ""
    return wording.sentence(photo.quarantine_code, photo.quarantine_facts)


@never_cache
@require_GET
def state(request: Asked, ref: str) -> JsonResponse:
    """How far the reading of a scan has come; asked every second or two."""
    return JsonResponse(file_item(_photo(request, ref)))


@never_cache
@require_GET
def alarms(request: Asked) -> HttpResponse:
    """The files that are missing or altered, for those who look after their photos."""
    if not Collection.objects.curated_by(request.user).exists():
        raise PermissionDenied
    standing = queries.alarms_for(request.user)
    page = Paginator(standing, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "archive/alarms.html", {"page": page, "query": ""})


# --- one photo -----------------------------------------------------------------------------------
@require_http_methods(["GET", "POST"])
def describe(request: Asked, ref: str) -> HttpResponse:
    """What is known of a scan, and what is said about the photograph."""
    photo = _photo(request, ref)
    form = DescriptionForm(request.POST or None, instance=photo)
    if not form.is_valid():
        return _photo_page(request, photo, form)
    told: dict[str, Any] = {"fields": form.told(), "by": request.user, "now": timezone.now()}
    if not form.written(partial(actions.describe_photo, photo=photo, **told)):
        return _photo_page(request, _photo(request, ref), form, state=409)
    messages.success(request, _("Saved."))
    return redirect("archive:describe", ref)


def _photo_page(
    request: Asked, photo: Photo, form: DescriptionForm, state: int = 0, **refused: ReasonForm
) -> HttpResponse:
    """`refused`: the hold or the withdrawal that was sent without a reason to keep. `state` of the
    answer: 0 where the forms tell it."""
    forms = {name: ReasonForm.of(name) for name in WHY} | refused
    context = {
        "form": form,
        "reason": forms,
        "photo": photo,
        "message": _message(photo),
        "pages": _possible_pages(photo),
        "facts": queries.reading_facts(photo),
        "rests": queries.why_it_rests(photo),
        "twins": queries.twins_of(photo),
        "page_url": reverse("archive:describe", args=[photo.ref]),
    }
    told = state or (422 if refused or form.errors else 200)
    return render(request, "archive/photo.html", context, status=told)


def _possible_pages(photo: Photo) -> list[tuple[str, str]]:
    """The answers to choose from, for a file that waits for one."""
    if photo.state != PhotoState.QUARANTINED or photo.quarantine_code != actions.SEVERAL_PAGES:
        return []
    odd = int(photo.quarantine_facts.get("pages", 0)) % 2
    return [(each.value, str(each.label)) for each in PagesAre if not (odd and each == "sides")]


@require_POST
def read_again(request: Asked, ref: str) -> HttpResponse:
    """Try a quarantined file once more."""
    actions.read_again(photo=_photo(request, ref), by=request.user, now=timezone.now())
    return redirect("archive:describe", ref)


@require_POST
def pages(request: Asked, ref: str) -> HttpResponse:
    """Say what the pages of a waiting file are."""
    said = request.POST.get("pages", "")
    actions.answer_pages(
        photo=_photo(request, ref), pages=said, by=request.user, now=timezone.now()
    )
    messages.success(request, _("Its pages are being read."))
    return redirect("archive:describe", ref)


@require_POST
def hold(request: Asked, ref: str) -> HttpResponse:
    """Take a photo off the wall for a while."""
    photo, form = _photo(request, ref), ReasonForm.of("hold", request.POST)
    if not form.is_valid():
        return _photo_page(request, photo, DescriptionForm(instance=photo), hold=form)
    reason = form.cleaned_data["reason"]
    actions.hold_photo(photo=photo, by=request.user, reason=reason, now=timezone.now())
    messages.success(request, _("The photo is on hold."))
    return redirect("archive:describe", ref)


@require_POST
def release(request: Asked, ref: str) -> HttpResponse:
    """Put a photo back on the wall."""
    actions.release_photo_hold(photo=_photo(request, ref), by=request.user, now=timezone.now())
    messages.success(request, _("The photo is back on the wall."))
    return redirect("archive:describe", ref)


@require_POST
def withdraw(request: Asked, ref: str) -> HttpResponse:
    """Take a photo out of the work for good."""
    photo, form = _photo(request, ref), ReasonForm.of("withdraw", request.POST)
    if not form.is_valid():
        return _photo_page(request, photo, DescriptionForm(instance=photo), withdraw=form)
    reason = form.cleaned_data["reason"]
    actions.withdraw_photo(photo=photo, by=request.user, reason=reason, now=timezone.now())
    messages.success(request, _("The photo is withdrawn."))
    return redirect("archive:collection", photo.collection.slug)


# --- bytes ---------------------------------------------------------------------------------------
@require_safe
def picture(request: Asked, ref: str, name: str) -> HttpResponseBase:
    """A size of a scan, for whoever may see the photo at work."""
    photo = get_object_or_404(Photo.objects.visible_to(request.user), ref=ref)
    if name not in NAMES or not photo.working_sha256:
        raise Http404
    key = storage.derivative_key(photo.working_sha256, name)
    return pictures.respond(key, content_type="image/jpeg", public=False, request=request)


@require_safe
def original(request: Asked, ref: str) -> HttpResponseBase:
    """The untouched file, for whoever looks after it; a download, never a page of ours."""
    photo = _photo(request, ref)
    if photo.original_id is None:
        raise Http404
    return pictures.respond(
        storage.original_key(photo.sha256),
        content_type="application/octet-stream",
        public=False,
        filename=photo.filename or photo.ref,
        request=request,
    )


# --- the log -------------------------------------------------------------------------------------
@never_cache
@require_safe
def audit(request: Asked) -> HttpResponse:
    """Everything that happened, for stewards: searched, and read page by page."""
    policy.check_steward(request.user)
    form = AuditForm(request.GET)
    shown = None
    if form.is_valid():
        found = auditing.search(form.cleaned_data, now=timezone.now())
        shown = auditing.page(found, request.GET.get("after", ""))
    kept = request.GET.copy()
    kept.pop("after", None)
    context = {"form": form, "shown": shown, "query": kept.urlencode()}
    return render(request, "archive/audit.html", context, status=200 if shown else 422)


@never_cache
@require_safe
def audit_file(request: Asked) -> HttpResponseBase:
    """The same as a file for a table program."""
    policy.check_steward(request.user)
    form = AuditForm(request.GET)
    if not form.is_valid():
        return redirect(f"{reverse('archive:audit')}?{request.GET.urlencode()}")
    found = auditing.search(form.cleaned_data, now=timezone.now())
    answer = StreamingHttpResponse(auditing.lines(found), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="events.csv"'
    return pictures.closed(answer)
