"""The bench: one photo, its recipe, its draft, its runs and its versions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from archive.languages import said
from archive.models import Photo
from archive.policy import Refused
from archive.sizes import fit
from restoration import allowing, drafting, masks, policy, presence
from restoration.actions.claims import beat_claim
from restoration.actions.drafts import DraftMoved, keep_mask, save_draft
from restoration.actions.jobs import request_job
from restoration.actions.versions import scan_version
from restoration.engine.catalog import spec
from restoration.engine.errors import BadInput
from restoration.engine.plan import Plan
from restoration.lifecycle import VersionKind
from restoration.models import Claim, Draft, Version
from restoration.queries import bench as benches
from restoration.queries import waiting
from restoration.queries.bench import Bench
from restoration.views import advising, faces, looking, others, panel, pictures, returning
from restoration.views.asking import Asked, fence_of, photo_in_hand, photo_of, sent_from_bench
from restoration.views.claims import clock
from restoration.views.progress import estimate, progress
from restoration.views.strip import Typed, label, strip
from restoration.wording import RESTS

MASK_SIDE = 2048
SOUGHT = "sensitivity"  # the setting of the repair; damage is detected at its default


@never_cache
@require_safe
def bench(request: Asked, ref: str) -> HttpResponse:
    """The photo on one's bench; for who does not hold it, what there is to see of it."""
    try:
        photo = photo_of(request, ref)
    except Refused as away:
        return _away(request, away)
    if looking.is_asked_for(request):
        return looking.part(request, photo, presence.models_offered(now=timezone.now()))
    scan_version(photo=photo, now=timezone.now())
    found = benches.bench_of(photo, request.user)
    if found.claim is None:
        return _shown(request, found)
    # Who opens the page is there, with a script that beats or without; who is suspended looks on.
    with suppress(Refused):
        beat_claim(claim=found.claim, by=request.user, now=timezone.now())
    return _laid_out(request, found, found.claim)


def _away(request: Asked, away: Refused) -> HttpResponse:
    """In the place of a bench whose photo nobody, or no volunteer, works on by now."""
    context = {"said": away.message, "work_url": reverse("people:work")}
    context |= {"back_url": reverse("restoration:wall")}
    return render(request, "restoration/away.html", context, status=409)


def refused_under(request: Asked, photo: Photo, typed: Typed) -> HttpResponse:
    """The page again after a refusal under a version, what was typed still in its form."""
    found = benches.bench_of(photo, request.user)
    if found.claim is None:
        return _shown(request, found, typed=typed)
    return _laid_out(request, found, found.claim, typed=typed, state=422)


@never_cache
@require_safe
def strip_part(request: Asked, ref: str) -> HttpResponse:
    """The strip alone, as htmx fetches it after a run."""
    photo = photo_of(request, ref)
    scan_version(photo=photo, now=timezone.now())
    found = benches.bench_of(photo, request.user)
    base = found.base(request.GET.get("base"))
    return render(request, "restoration/_strip.html", strip(found, base))


@never_cache
@require_http_methods(["PUT"])
def draft(request: Asked, ref: str) -> HttpResponse:
    """Save what lies on the bench; 409 with the other draft when another tab was quicker."""
    photo, sent = photo_in_hand(request, ref), _sent(request)
    try:
        saved = save_draft(
            photo=photo,
            by=request.user,
            rev=drafting.whole(sent.get("rev")) or 0,
            body=drafting.cleaned(sent.get("draft")),
            fence=fence_of(request),
            now=timezone.now(),
        )
    except DraftMoved as moved:
        return _moved(photo, moved)
    except BadInput as bad:
        return _problem(bad.code, advising.problem(bad.code, bad.facts), 422)
    return JsonResponse({"rev": saved.rev, "saved_at": saved.saved_at.isoformat()})


@never_cache
@require_POST
def mask(request: Asked, ref: str) -> HttpResponse:
    """Keep a painted mask; only its header is looked at here."""
    photo = photo_in_hand(request, ref)
    policy.hold(request.user, photo, fence=fence_of(request))
    painted = request.FILES.get("mask")
    content = painted.read(masks.MOST_BYTES + 1) if painted else b""
    try:
        sha256 = keep_mask(
            photo=photo,
            by=request.user,
            fence=fence_of(request),
            content=content,
            now=timezone.now(),
        )
    except BadInput as bad:
        return _problem(bad.code, advising.problem(bad.code, bad.facts), 422)
    return JsonResponse({"sha256": sha256, "url": _sheet(photo, sha256)}, status=201)


@never_cache
@sent_from_bench
def run(request: Asked, ref: str) -> HttpResponse:
    """Save the draft, freeze its plan, put it in the queue."""
    photo, drafted, now = photo_in_hand(request, ref), _drafted(request), timezone.now()
    fence = fence_of(request)
    try:
        if not request.htmx:  # the script has just saved it
            _save(request, photo, drafted)
        policy.check_open(request.user, photo)
        plan = _planned(photo, drafted)
        source = _source(request, photo, drafted)
        job = request_job(source=source, by=request.user, fence=fence, plan=plan, now=now)
    except (BadInput, Refused) as error:
        return _refused(request, photo, drafted, error)
    if request.htmx:
        return others.beside(request, photo, {"job": progress(job, now=now)})
    if _is_json(request):
        return JsonResponse({"job": job.pk, "url": _job_url(job.pk)}, status=201)
    return redirect(f"{_url('bench', ref)}?{urlencode({'base': source.number})}#job")


# --- what was sent --------------------------------------------------------------------------------


def _is_json(request: Asked) -> bool:
    return request.content_type == "application/json"


def _sent(request: Asked) -> dict[str, Any]:
    try:
        sent = json.loads(request.body)
    except ValueError:
        return {}
    return sent if isinstance(sent, dict) else {}


def _drafted(request: Asked) -> dict[str, Any]:
    if _is_json(request):
        return drafting.cleaned(_sent(request).get("draft"))
    return drafting.from_post(request.POST)


def _rev(request: Asked) -> int:
    rev = _sent(request).get("rev") if _is_json(request) else request.POST.get("rev")
    return drafting.whole(rev) or 0


def _save(request: Asked, photo: Photo, drafted: Mapping[str, Any]) -> Draft:
    return save_draft(
        photo=photo,
        by=request.user,
        rev=_rev(request),
        body=drafted,
        fence=fence_of(request),
        now=timezone.now(),
    )


def _planned(photo: Photo, drafted: Mapping[str, Any]) -> Plan:
    drafted = drafting.with_found(drafted, faces.found(photo))
    return drafting.plan(drafted, presence.first_models(now=timezone.now()))


def _source(request: Asked, photo: Photo, drafted: Mapping[str, Any]) -> Version:
    seen = benches.versions_of(photo, request.user)
    asked = drafted["base"]
    found = seen.filter(number=asked).first() if asked is not None else seen.last()
    if found is None:
        raise Http404
    return found


# --- answers --------------------------------------------------------------------------------------


def _refused(
    request: Asked, photo: Photo, drafted: Mapping[str, Any], error: BadInput | Refused
) -> HttpResponse:
    """The sentence where the person looks, and everything that was sent still in its place."""
    if isinstance(error, BadInput):
        state, wait, words = 422, 0, advising.problem(error.code, error.facts)
    else:
        state = 429 if error.wait else 409 if error.conflict else 403
        wait, words = error.wait, str(error.message)
    answer = _said(request, photo, drafted, error.code, words, state)
    if wait:
        answer["Retry-After"] = str(wait)
    return answer


def _said(
    request: Asked, photo: Photo, drafted: Mapping[str, Any], code: str, words: str, state: int
) -> HttpResponse:
    if request.htmx:
        shown = {"job_errors": [words]}
        return others.beside(request, photo, shown, status=429 if state == 429 else 422)
    if _is_json(request):
        return _problem(code, words, state)
    found = benches.bench_of(photo, request.user)
    if found.claim is None or code in policy.CLOSED:
        raise Refused(code, words, conflict=True)
    return _laid_out(request, found, found.claim, sent=drafted, errors=[words], state=state)


def _problem(code: str, message: str, state: int) -> JsonResponse:
    return JsonResponse({"code": code, "message": message}, status=state)


def _moved(photo: Photo, moved: DraftMoved) -> JsonResponse:
    theirs = moved.draft.body
    return JsonResponse(
        {
            "code": moved.code,
            "message": str(moved.message),
            "rev": moved.draft.rev,
            "draft": theirs,
            "mask_url": _sheet(photo, theirs.get("mask")),
        },
        status=409,
    )


def _shown(request: Asked, found: Bench, *, typed: Typed | None = None) -> HttpResponse:
    """The same photo for somebody who does not hold it."""
    base, photo = found.base(_asked(request, typed)), found.photo
    held = found.claims[0] if found.claims and not found.is_free else None
    context = {
        "photo": _photo(photo),
        "facts": panel.photo_facts(photo),
        "base": _base(photo, base),
        "holder": str(held.volunteer) if held else "",
        "until": held.ends_at if held else None,
        "claim_url": _url("claim", photo.ref) if found.is_free else "",
        "give_one_url": reverse("restoration:give-one") if found.own_waits else "",
        "looked": panel.looked(panel.Panel(photo, None, [])),
        "job": progress(found.job, now=timezone.now()) if found.job else None,
        "other_runs": others.lines(found.others),
        "back_url": reverse("restoration:wall"),
        "page_url": _page_url(request, photo, base),
        **strip(found, base, typed),
    }
    return render(request, "restoration/photo.html", context, status=422 if typed else 200)


def _page_url(request: Asked, photo: Photo, base: Version) -> str:
    """Where this page is to be had again: a refused form stands at an address that only takes."""
    if request.method == "POST":
        return f"{_url('bench', photo.ref)}?{urlencode({'base': base.number})}"
    return request.get_full_path()


def _asked(request: Asked, typed: Typed | None) -> str | None:
    """The number of the version that the page shall stand on."""
    return str(typed.number) if typed else request.GET.get("base")


def _laid_out(
    request: Asked,
    found: Bench,
    claim: Claim,
    *,
    sent: Mapping[str, Any] | None = None,
    errors: list[str] | None = None,
    typed: Typed | None = None,
    state: int = 200,
) -> HttpResponse:
    """The whole bench; `sent` takes the place of the kept draft after a refusal."""
    now, photo = timezone.now(), found.photo
    asked = _asked(request, typed)
    again = None if sent else returning.begun_again(found, asked)
    kept = sent or again or (drafting.cleaned(found.draft.body) if found.draft else None)
    kept = kept and drafting.with_found(kept, faces.found(photo))
    base = found.base(asked or (kept or {}).get("base"))
    recipe = panel.Panel(photo, kept, presence.models_offered(now=now))
    steps = panel.steps(recipe)
    context = {
        "photo": _photo(photo),
        "facts": panel.photo_facts(photo),
        "claim": {"state": claim.state, "expires_at": claim.ends_at, "mine": True}
        | {"extended": claim.extended},
        "base": _base(photo, base),
        "bases": _bases(found, base),
        "returned": returning.told(found, base, kept),
        **looking.seen(recipe),
        "steps": steps,
        "prompt_fields": panel.prompt_fields(recipe),
        "swatches": panel.swatches(recipe),
        "faces": faces.listed(recipe),
        "marks": _marks(kept),
        "estimate": _expected(request, base, panel.needs(steps), now),
        "left": allowing.left_now(
            request.user, photo.collection_id, now=now, gpu=bool(recipe.models)
        ),
        "form_errors": errors or [],
        "job": progress(found.job, now=now) if found.job else None,
        "other_runs": others.lines(found.others),
        "urls": _urls(photo, claim),
        "config": _config(found, claim, base, kept, recipe, is_begun=again is not None),
        "page_url": _page_url(request, photo, base),
        **strip(found, base, typed),
    }
    return render(request, "restoration/bench.html", context, status=state)


# --- parts of the page ----------------------------------------------------------------------------


def _expected(request: Asked, base: Version, needs: list[str], now: datetime) -> str:
    """What to expect of Run; nothing where it is refused, because nobody could do it now."""
    if not presence.offered(needs, now=now):
        return ""
    return estimate(waiting.outlook_for(base, by=request.user, needs=needs, now=now))


def _url(name: str, *args: object) -> str:
    return reverse(f"restoration:{name}", args=args)


def _job_url(job_id: int) -> str:
    return _url("job", job_id)


def _sheet(photo: Photo, sha256: str | None) -> str | None:
    return _url("sheet", photo.ref, sha256) if sha256 else None


def _photo(photo: Photo) -> dict[str, Any]:
    title = said(photo, "title")
    return {
        "id": photo.ref,
        "title": title.text or str(photo),
        "title_lang": title.lang,
        "collection": said(photo.collection, "title").text,
        "url": _url("bench", photo.ref),
        "instructions": said(photo.collection, "instructions"),
    }


def _base(photo: Photo, base: Version) -> dict[str, Any]:
    alt = f"{said(photo, 'title').text or photo}, {label(base)}"
    return {"id": base.number, **pictures.stage(base, label(base), alt)}


def _bases(found: Bench, base: Version) -> list[dict[str, Any]]:
    """All versions; a result is first compared with the scan, the scan with what was made last."""
    first, last = found.versions[0], found.versions[-1]
    other = last if base.pk == first.pk else first
    return [_each_base(each, base, other) for each in found.versions]


def _each_base(each: Version, base: Version, other: Version) -> dict[str, Any]:
    url = f"{_url('bench', each.photo.ref)}?{urlencode({'base': each.number})}"
    chosen = {"current": each.pk == base.pk, "other": each.pk == other.pk}
    return {"id": each.number, "label": label(each), "url": url} | chosen


def _marks(kept: Mapping[str, Any] | None) -> dict[str, str]:
    """The drawn colours as the form's hidden fields, so that a page without a script keeps them."""
    return {name: json.dumps((kept or {}).get(name, [])) for name in ("dabs", "regions")}


def _urls(photo: Photo, claim: Claim) -> dict[str, str]:
    """Where the page sends things; the claim's number goes along and fences off older pages."""
    fence = urlencode({"claim": claim.pk})
    under = ("run", "draft", "mask", "beat", "extend", "release")
    urls = {name: f"{_url(name, photo.ref)}?{fence}" for name in under}
    return urls | {
        "back": reverse("restoration:wall"),
        "claim": urls["beat"],
        "compare": _url("compare", photo.ref),
        "colour": _url("colour"),
    }


def _config(
    found: Bench,
    claim: Claim,
    base: Version,
    kept: Mapping[str, Any] | None,
    recipe: panel.Panel,
    *,
    is_begun: bool,
) -> dict[str, Any]:
    photo = found.photo
    width, height = fit(base.width, base.height, MASK_SIDE)
    painted = (kept or {}).get("mask")
    [tiles] = pictures.tile_sources(base)
    return {
        "photo": {"id": photo.ref, "width": base.width, "height": base.height},
        "picture": {"sources": pictures.sources(base), "tiles": tiles},
        "base": base.number,
        "mask": {
            "width": width,
            "height": height,
            "url": _sheet(photo, painted),
            "sha256": painted,
            "detected_url": _sheet(photo, _detected(base, recipe)),
            "detected_at": next(s.default for s in spec("repair").settings if s.name == SOUGHT),
            "is_done": _is_done(found, base, kept),
        },
        "draft": {
            "rev": found.draft.rev if found.draft else 0,
            "draft": kept,
            "is_begun": is_begun,
        },
        "suggestion": panel.suggestion(recipe),
        "faces": faces.found(photo),
        "claim": clock(claim, timezone.now(), RESTS.get(photo.state, "")),
        "urls": _urls(photo, claim),
    }


def _is_done(found: Bench, base: Version, kept: Mapping[str, Any] | None) -> bool:
    """Whether what is painted and placed here is already done in the base, or where it is from."""
    known = {version.pk: version for version in found.versions}
    each = base if kept else None
    while each is not None:
        job = getattr(each, "job", None)
        if kept and job is not None and drafting.is_done(kept, job.plan):
            return True
        each = known.get(each.parent_id or 0)
    return False


def _detected(base: Version, recipe: panel.Panel) -> str | None:
    """The damage that was found on the scan; it tells nothing of a version made from it."""
    seen = recipe.assessment
    return seen.mask_sha256 if seen and base.kind == VersionKind.SCAN else None
