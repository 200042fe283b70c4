"""Versions: compared, downloaded, brought back by hand, submitted, withdrawn."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from archive import export, storage
from archive import pictures as stored
from archive.lifecycle import PhotoState
from archive.models import Photo
from archive.policy import Refused
from restoration import policy, wording
from restoration.actions.jobs import bring_retouch
from restoration.actions.versions import submit_version, withdraw_version
from restoration.forms import RetouchForm, SubmitForm
from restoration.models import Version
from restoration.queries.bench import versions_of
from restoration.views.asking import Asked, fence_of, photo_of, sent_from_bench, version_of
from restoration.views.bench import refused_under
from restoration.views.comparing import comparison
from restoration.views.sidecar import sidecar
from restoration.views.strip import Typed, label

MEGABYTE = 1024**2
KINDS = ("tif", "png", "json")


@never_cache
@require_safe
def compare(request: Asked, ref: str) -> HttpResponse:
    """Two versions of a photo beside, over and under each other."""
    photo = photo_of(request, ref)
    left, right = _pair(request, photo)
    shown = comparison(left, right, asked=request.GET.getlist("layer"))
    if request.htmx:
        return render(request, "partials/_compare.html", {"compare": shown})
    back = f"{reverse('restoration:bench', args=[ref])}?base={right.number}"
    about = {"title": shown["label"], "url": back}
    context = {"photo": about, "compare": shown, "back_url": back}
    return render(request, "restoration/compare.html", context)


def _pair(request: Asked, photo: Photo) -> tuple[Version, Version]:
    """The two that are asked for; else the scan and the newest."""
    seen = {str(each.number): each for each in versions_of(photo, request.user)}
    if not seen:
        raise Http404
    in_order = list(seen.values())
    left = seen.get(request.GET.get("left", ""), in_order[0])
    right = seen.get(request.GET.get("right", ""), in_order[-1])
    return left, right


@require_safe
def working(request: Asked, ref: str, number: int, kind: str) -> HttpResponseBase:
    """The working file at full size and depth, or the facts that go with it."""
    version = version_of(request, ref, number)
    name = f"{ref}-{label(version)}.{kind}"
    if kind not in KINDS:
        raise Http404
    if kind == "json":
        facts = JsonResponse(sidecar(version, request.build_absolute_uri))
        facts["Content-Disposition"] = f'attachment; filename="{name}"'
        return _private(facts)
    if kind == "png":
        png = export.png(version.sha256)
        return _private(FileResponse(png, as_attachment=True, filename=name))
    key = storage.working_key(version.sha256)
    return stored.respond(
        key, content_type="image/tiff", public=False, filename=name, request=request
    )


def _private(response: HttpResponseBase) -> HttpResponseBase:
    response["Cache-Control"] = "private, no-store"
    return stored.closed(response)


@sent_from_bench
def retouch(request: Asked, ref: str, number: int) -> HttpResponse:
    """Take in a file that was worked on elsewhere; a worker tells whether it belongs."""
    parent, now = version_of(request, ref, number), timezone.now()
    policy.hold(request.user, parent.photo, fence=fence_of(request))
    policy.check_open(request.user, parent.photo)
    policy.check_upload(request.user, now=now)
    back = redirect(f"{reverse('restoration:bench', args=[ref])}?base={number}#job")
    form = RetouchForm(request.POST, request.FILES)
    if not form.is_valid():
        return _again(request, parent, "retouch", *_errors(form))
    upload: UploadedFile[bytes] = form.cleaned_data["file"]
    try:
        bring_retouch(
            parent=parent,
            by=request.user,
            fence=fence_of(request),
            chunks=upload.chunks(),
            filename=str(upload.name or ""),
            note=form.cleaned_data["note"],
            now=now,
        )
    except storage.TooLarge:
        most = {"most": settings.MAX_UPLOAD_BYTES // MEGABYTE}
        return _again(request, parent, "retouch", wording.problem("file-too-large", most))
    return back


def _errors(form: RetouchForm) -> list[str]:
    return [str(each) for errors in form.errors.values() for each in errors]


def _again(request: Asked, version: Version, form: str, *errors: str) -> HttpResponse:
    """The form open where it was, with what was typed and why it was not taken."""
    typed = Typed(version.number, form, request.POST.get("note", ""), errors)
    return refused_under(request, version.photo, typed)


@sent_from_bench
def submit(request: Asked, ref: str, number: int) -> HttpResponse:
    """Send a version to review with a note."""
    version, form = version_of(request, ref, number), SubmitForm(request.POST)
    if not form.is_valid():
        return _again(request, version, "submit", _("The note is too long. Nothing was submitted."))
    try:
        submit_version(
            version=version, by=request.user, note=form.cleaned_data["note"], now=timezone.now()
        )
    except Refused as refused:
        if refused.code != "review-full" or not request.accepts("text/html"):
            raise
        return _again(request, version, "submit", str(refused.message))
    version.refresh_from_db()
    messages.success(request, _submitted(version))
    return _home(version)


def _submitted(version: Version) -> str:
    if version.photo.state == PhotoState.ON_HOLD:
        return _(
            "Submitted. The photo is on hold; a curator will look at your version when the hold is"
            " lifted."
        )
    if version.is_alternative:
        return _(
            "Submitted as an alternative: somebody else holds the photo now, and a curator will see"
            " both."
        )
    told = _("Submitted. A curator will look at it; you will find the answer here:")
    return format_html('{} <a href="{}">{}</a>', told, reverse("people:work"), _("My work"))


@require_POST
def withdraw(request: Asked, ref: str, number: int) -> HttpResponse:
    """Take a version back before anybody has decided."""
    version = version_of(request, ref, number)
    withdraw_version(version=version, by=request.user, now=timezone.now())
    messages.success(request, _("Taken back. The version stays on the strip."))
    return _home(version)


def _home(version: Version) -> HttpResponse:
    return redirect(
        f"{reverse('restoration:bench', args=[version.photo.ref])}?base={version.number}"
    )
