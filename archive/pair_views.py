"""The curators' queue of photos that look alike."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from archive import pairing, queries
from archive.asking import Asked, collection_of, pair_of
from archive.models import Photo

PER_PAGE = 10


@never_cache
@require_GET
def pair_list(request: Asked, slug: str) -> HttpResponse:
    """The pairs that wait for a decision, or those that have one."""
    box, decided = collection_of(request, slug), "decided" in request.GET
    pairs = queries.pairs_of(box, decided=decided)
    page = Paginator(pairs, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "collection": box,
        "page": page,
        "decided": decided,
        "query": "decided" if decided else "",
    }
    return render(request, "archive/pairs.html", context)


@require_POST
def decide(request: Asked, slug: str, pk: int) -> HttpResponse:
    """Say what the two are."""
    pair = pair_of(request, slug, pk)
    ref = request.POST.get("stays", "")
    stays = (
        get_object_or_404(Photo, ref=ref, pk__in=(pair.first_id, pair.second_id)) if ref else None
    )
    pairing.decide_pair(
        pair=pair,
        to=request.POST.get("decision", ""),
        stays=stays,
        by=request.user,
        now=timezone.now(),
    )
    messages.success(request, _("Decided: {decision}.").format(decision=pair.get_state_display()))
    return redirect("archive:pairs", slug)


@require_POST
def take_back(request: Asked, slug: str, pk: int) -> HttpResponse:
    """Ask again."""
    pairing.take_back_pair(pair=pair_of(request, slug, pk), by=request.user, now=timezone.now())
    messages.success(request, _("The pair waits for a decision again."))
    return redirect("archive:pairs", slug)
