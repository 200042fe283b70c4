"""For stewards: the workers that are on, the line before them, and what failed."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from archive.policy import check_steward
from restoration import presence
from restoration.actions import jobs as verbs
from restoration.models import Job
from restoration.queries import machines as queries
from restoration.views.asking import Asked

QUEUES = {
    presence.CPU: pgettext_lazy("kind of machine", "processors"),
    presence.GENERATIVE: pgettext_lazy("kind of machine", "generative models"),
}


@never_cache
@require_safe
def machines(request: Asked) -> HttpResponse:
    """All of it on one page."""
    check_steward(request.user)
    now = timezone.now()
    found = queries.machines(now=now)
    context = {
        "machines": found,
        "lines": [(QUEUES.get(line.queue, line.queue), line) for line in queries.lines(found)],
        "failures": queries.failures(now=now),
        "most": queries.MOST_FAILED,
    }
    return render(request, "restoration/machines.html", context)


@require_POST
def look_again(request: Asked, number: int) -> HttpResponse:
    """Ask once more for a look at a photo that failed."""
    check_steward(request.user)
    job = get_object_or_404(Job.objects.select_related("photo__assessment"), pk=number)
    if verbs.look_again(job=job, by=request.user, now=timezone.now()) is None:
        messages.info(request, _("It waits or runs already."))
    else:
        messages.success(request, _("Asked for again."))
    return redirect("restoration:machines")
