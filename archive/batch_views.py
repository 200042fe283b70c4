"""The curators' pages of batches: begin one, see what was found, let it in, read the report; and
the table of what is said already, for the next one.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRefresh

from archive import batches, pictures, progress, queries, reports, wording
from archive.asking import Asked, batch_of, collection_of
from archive.batches import Origin
from archive.intake import Batch
from archive.lifecycle import AT_WORK, BatchState, FileOutcome, PagesAre, SourceKind
from archive.models import Collection
from archive.policy import Refused
from archive.source_forms import SOURCES, SourceForm
from archive.sources.source import BLOCK
from archive.sources.table import LARGEST, BadTable, read_table

PER_PAGE = 40
FILES_PER_PAGE = 50


@require_GET
def batch_list(request: Asked, slug: str) -> HttpResponse:
    """The batches of a collection, the newest first."""
    box = collection_of(request, slug)
    page = Paginator(queries.batches_of(box), PER_PAGE).get_page(request.GET.get("page"))
    context = {"collection": box, "page": page, "query": ""}
    return render(request, "archive/batches.html", context)


@require_http_methods(["GET", "POST"])
def new_batch(request: Asked, slug: str) -> HttpResponse:
    """Choose a source; its files are looked at before any is taken in."""
    box = collection_of(request, slug)
    sent = SOURCES.get(request.POST.get("kind", "")) if request.method == "POST" else None
    form = sent(request.POST, request.FILES) if sent else None
    if form is not None and form.is_offered and form.is_valid():
        batch = _begun(request, box, form)
        if batch is not None:
            return redirect("archive:batch", slug, batch.pk)
    forms = [form if form and form.kind == kind else each() for kind, each in SOURCES.items()]
    offered = [each for each in forms if each.is_offered]
    context = {"collection": box, "forms": offered, "all": len(offered) == len(SOURCES)}
    state = 200 if request.method == "GET" else 422
    return render(request, "archive/batch_new.html", context, status=state)


def _begun(request: Asked, box: Collection, form: SourceForm) -> Batch | None:
    """The batch; nothing when what was sent cannot be used, which the form then says."""
    try:
        table = _kept_table(form.cleaned_data.get("table"))
        place = form.place() or table
        if form.kind == SourceKind.ZIP:
            place = batches.keep_source(chunks=form.cleaned_data["file"].chunks(), suffix=".zip")
        return batches.begin_batch(
            collection=box,
            origin=Origin(form.kind, place, form.label(), table),
            by=request.user,
            now=timezone.now(),
        )
    except Refused as refused:
        if not refused.invalid:
            raise
        form.add_error(None, str(refused.message))
    except BadTable as bad:
        form.add_error("table", wording.sentence(bad.code, bad.facts))
    return None


def _kept_table(sent: UploadedFile[Any] | None) -> str:
    """A table is read once before it is kept, so that what is wrong with it is said at once."""
    if not sent:
        return ""
    if (sent.size or 0) > LARGEST:
        raise BadTable("too-large", limit=LARGEST)
    content = b"".join(sent.chunks())
    read_table(content)
    blocks = (content[at : at + BLOCK] for at in range(0, len(content), BLOCK))
    return batches.keep_source(chunks=blocks, suffix=".csv", limit=LARGEST)


@never_cache
@require_GET
def batch(request: Asked, slug: str, pk: int) -> HttpResponse:
    """One batch: how far it is, and what became of its files. htmx asks for the moving part."""
    found = batch_of(request, slug, pk)
    context = _context(found) | {"htmx": bool(request.htmx)}
    if request.htmx and not context["live"]:
        # The table of files is not in the moving part: once all is still, the page comes anew.
        return HttpResponseClientRefresh()
    if request.htmx:
        return render(request, "archive/_batch.html", context)
    kind = request.GET.get("outcome", "")
    files = queries.files_of(found, kind)
    page = Paginator(files, FILES_PER_PAGE).get_page(request.GET.get("page"))
    context |= {
        "page": page,
        "files": [reports.told(file) for file in page.object_list],
        "outcome": kind,
        "query": f"outcome={kind}" if kind else "",
    }
    return render(request, "archive/batch.html", context)


def _context(found: Batch) -> dict[str, Any]:
    now = timezone.now()
    far, tally = progress.of(found, now), reports.tally(found)
    is_refused = any(word == FileOutcome.REFUSED for word, *_rest in tally)
    codes = queries.refusals_of(found) if is_refused else set()
    waits = found.state == BatchState.LOOKED
    return {
        "batch": found,
        "collection": found.collection,
        "progress": far,
        "progress_line": progress.sentence(far),
        "tally": tally,
        "live": found.state in AT_WORK,
        "fresh": any(word in (FileOutcome.NEW, FileOutcome.UNSEEN) for word, *_rest in tally),
        "fills": queries.photos_to_fill(found) if waits else 0,
        "again": bool(codes - wording.OF_THE_TABLE - wording.NEVER_AGAIN),
        "corrected": wording.CORRECTED.get(found.kind, "") if codes & wording.OF_THE_TABLE else "",
        "looking": found.state in (BatchState.LOOKING, BatchState.LOOKED),
        "silent": progress.is_silent(found, now),
        "several_pages": batches.waiting_for_pages(found).count(),
        "answers": PagesAre.choices,
        "problem": wording.sentence(found.code, found.facts) if found.code else "",
        "oddities": [wording.sentence(code, facts) for code, facts in found.oddities],
    }


@require_GET
def batch_report(request: Asked, slug: str, pk: int) -> HttpResponseBase:
    """What became of every file, as a table for a spreadsheet."""
    found = batch_of(request, slug, pk)
    return _table(reports.lines(found), f"{found.collection.slug}-{found.pk}.csv")


@require_GET
def descriptions(request: Asked, slug: str) -> HttpResponseBase:
    """All that is said of a collection's photos, as the table that a batch takes."""
    box = collection_of(request, slug)
    return _table(reports.descriptions(queries.photos_of(box)), f"{box.slug}.csv")


def _table(lines: Iterator[str], name: str) -> HttpResponseBase:
    # Before it the mark by which spreadsheets know UTF-8.
    told = chain(["\ufeff"], lines)
    answer = StreamingHttpResponse(told, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = content_disposition_header(True, name)
    answer["Cache-Control"] = "no-store"
    return pictures.closed(answer)


@require_POST
def batch_pages(request: Asked, slug: str, pk: int) -> HttpResponse:
    """Say once what the pages of all files are that wait for an answer."""
    found = batch_of(request, slug, pk)
    said = request.POST.get("pages", "")
    taken = batches.answer_batch_pages(batch=found, pages=said, by=request.user, now=timezone.now())
    text = ngettext(
        "The pages of %(count)d file are being read.",
        "The pages of %(count)d files are being read.",
        taken,
    )
    messages.success(request, text % {"count": taken})
    if left := batches.waiting_for_pages(found).count():
        text = ngettext(
            "%(count)d file still waits: that cannot be said of it, or there are very many.",
            "%(count)d files still wait: that cannot be said of them, or there are very many.",
            left,
        )
        messages.info(request, text % {"count": left})
    return redirect("archive:batch", slug, pk)


VERBS = {
    "take": batches.take_batch,
    "stop": batches.stop_batch,
    "again": batches.retry_batch,
    "close": batches.close_batch,
}


@require_POST
def move_batch(request: Asked, slug: str, pk: int, verb: str) -> HttpResponse:
    """Let it in, stop it, try again what failed, or be done with it."""
    if verb not in VERBS:
        raise Http404
    VERBS[verb](batch=batch_of(request, slug, pk), by=request.user, now=timezone.now())
    return redirect("archive:batch", slug, pk)
