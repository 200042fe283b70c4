"""Machine time: what collections have, workshops and their codes, and the door for their guests."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from archive.models import Collection
from archive.policy import Refused, check_steward
from restoration import allowing
from restoration.actions import budgets as verbs
from restoration.forms import GrantForm, JoinForm, WorkshopForm
from restoration.models import Workshop
from restoration.purses import Resource
from restoration.queries import budgets as queries
from restoration.views.asking import Asked


@require_GET
def budgets(request: Asked) -> HttpResponse:
    """What every collection has left, for stewards, and what each level of trust allows."""
    check_steward(request.user)
    now = timezone.now()
    context = {
        "collections": queries.collections(now=now),
        "form": GrantForm(),
        "levels": allowing.table(),
    }
    return render(request, "restoration/budgets.html", context)


@require_POST
def grant(request: Asked) -> HttpResponse:
    """Give a collection machine time, or take some back."""
    check_steward(request.user)
    form = GrantForm(request.POST)
    if not form.is_valid():
        return _unchanged(request)
    try:
        verbs.grant_collection(by=request.user, now=timezone.now(), **form.cleaned_data)
        given = form.cleaned_data["minutes"] >= 0
        messages.success(request, _("Given.") if given else _("Taken back."))
    except Refused as refused:
        messages.error(request, str(refused.message))
    return redirect("restoration:budgets")


@require_POST
def lift(request: Asked, slug: str, kind: str) -> HttpResponse:
    """Let a collection use as much as it likes."""
    check_steward(request.user)
    collection = get_object_or_404(Collection, slug=slug)
    if kind not in Resource.values:
        return _unchanged(request)
    verbs.lift_budget(collection=collection, resource=kind, by=request.user, now=timezone.now())
    messages.success(request, _("This collection has no limit any more."))
    return redirect("restoration:budgets")


def _unchanged(request: Asked) -> HttpResponse:
    messages.error(request, _("Choose a collection and a number of minutes. Nothing was changed."))
    return redirect("restoration:budgets")


# --- workshops -----------------------------------------------------------------------------------
@never_cache
@require_http_methods(["GET", "POST"])
def workshops(request: Asked) -> HttpResponse:
    """The workshops of the collections one curates, and a form for another one."""
    boxes = Collection.objects.curated_by(request.user).order_by("title_en")
    if not boxes.exists():
        raise Refused("not-curator", _("Only a curator can do that."))
    form = WorkshopForm(request.POST or None, collections=boxes)
    state = 200
    if request.method == "POST":
        made = _opened(request, form)
        if made is not None:
            return redirect("restoration:workshop", made.pk)
        state = 422
    context = {"form": form, "workshops": queries.workshops(request.user, now=timezone.now())}
    return render(request, "restoration/workshops.html", context, status=state)


def _opened(request: Asked, form: WorkshopForm) -> Workshop | None:
    if not form.is_valid():
        return None
    try:
        return verbs.open_workshop(by=request.user, now=timezone.now(), **form.cleaned_data)
    except Refused as refused:
        form.add_error(None, str(refused.message))
        return None


@never_cache
@require_GET
def workshop(request: Asked, pk: int) -> HttpResponse:
    """The code in large letters, to be shown on a wall or printed."""
    found = get_object_or_404(queries.workshops(request.user, now=timezone.now()), pk=pk)
    address = settings.SITE_URL.rstrip("/") + reverse("restoration:join")
    context = {"workshop": found, "address": address, "now": timezone.now()}
    return render(request, "restoration/workshop.html", context)


@require_POST
def close_workshop(request: Asked, pk: int) -> HttpResponse:
    """Let nobody in any more."""
    found = get_object_or_404(Workshop.objects.visible_to(request.user), pk=pk)
    verbs.close_workshop(workshop=found, by=request.user, now=timezone.now())
    messages.success(request, _("Closed. Who is in keeps the day."))
    return redirect("restoration:workshops")


@never_cache
@require_http_methods(["GET", "POST"])
def join(request: Asked) -> HttpResponse:
    """One field: the code from the board."""
    form = JoinForm(request.POST or None, initial={"code": request.GET.get("code", "")[:20]})
    if request.method == "POST" and form.is_valid():
        try:
            guest = verbs.join_workshop(
                code=form.cleaned_data["code"], by=request.user, now=timezone.now()
            )
        except Refused as refused:
            if refused.code == "suspended":
                raise
            form.add_error("code", str(refused.message))
        else:
            messages.success(request, _("Welcome to “%s”.") % guest.workshop.title)
            return redirect(_wall(guest.workshop.collection))
    context: dict[str, Any] = {"form": form}
    return render(request, "restoration/join.html", context, status=422 if form.errors else 200)


def _wall(collection: Collection) -> str:
    return f"{reverse('restoration:wall')}?collection={collection.slug}"
