"""For stewards: everything by an account, hidden with one button and brought back with another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth import get_user_model
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from archive.policy import Refused, check_steward
from archive.trust import is_suspended
from exhibit import hiding
from exhibit.forms import HideForm
from exhibit.models import Hiding
from exhibit.views.editor import INVALID, Asked

if TYPE_CHECKING:
    from accounts.models import User


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def hide(request: Asked, pk: int) -> HttpResponse:
    """What would be hidden, and the button that does it."""
    check_steward(request.user)
    person = get_object_or_404(get_user_model(), pk=pk)
    form = HideForm(request.POST or None)
    if form.is_valid() and _hidden(request, person, form):
        messages.success(request, _("Hidden. You can bring everything back on this page."))
        return redirect("exhibit:hide", pk)
    context = {
        "person": person,
        "form": form,
        "found": hiding.look(person),
        "standing": _standing(pk),
        # Of a steward the verb suspends nobody, so it hides nothing either.
        "may_hide": is_suspended(person) or not person.is_steward,
    }
    return render(request, "exhibit/hide.html", context, status=INVALID if form.errors else 200)


def _hidden(request: Asked, person: User, form: HideForm) -> bool:
    """False when it was refused: what was typed stays in the form, beside the sentence."""
    reason = form.cleaned_data["reason"]
    try:
        hiding.hide_everything(person=person, by=request.user, reason=reason, now=timezone.now())
    except Refused as refusal:
        form.add_error(None, str(refusal.message))
        return False
    return True


def _standing(pk: int) -> Hiding | None:
    found = Hiding.objects.filter(person=pk, undone_at=None).select_related("by")
    return found.prefetch_related("things").first()


@require_POST
def unhide(request: Asked, pk: int) -> HttpResponse:
    """The way back."""
    check_steward(request.user)
    person = get_object_or_404(get_user_model(), pk=pk)
    came = hiding.undo_hiding(person=person, by=request.user, now=timezone.now())
    messages.success(request, _("Brought back."))
    left = came.get("moved-on", 0)
    if left:
        words = ngettext(
            "%(n)s thing had changed hands meanwhile and stays as it is.",
            "%(n)s things had changed hands meanwhile and stay as they are.",
            left,
        )
        messages.warning(request, words % {"n": left})
    return redirect("people:person", pk)


@require_POST
def restore(request: Asked, pk: int) -> HttpResponse:
    """The trust from before, for an account of which nothing is hidden."""
    check_steward(request.user)
    person = get_object_or_404(get_user_model(), pk=pk)
    told: dict[str, Any] = {"person": person, "by": request.user, "now": timezone.now()}
    try:
        # What the page showed: somebody may have gone further since.
        hiding.restore_account(shown=request.POST.get("shown", ""), **told)
        messages.success(request, _("This account is as it was before."))
    except Refused as refusal:
        messages.error(request, str(refusal.message))
    return redirect("people:person", pk)
