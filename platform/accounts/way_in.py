"""How a steward helps somebody in again who lost the password, the address, or both."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from accounts import actions
from accounts.forms import CorrectAddressForm
from accounts.models import User
from accounts.views import PersonRequest, for_stewards, takes_forms
from archive.policy import Refused


@for_stewards
@require_GET
def way_in(request: PersonRequest, pk: int) -> HttpResponse:
    """The ways there are."""
    person = get_object_or_404(User, pk=pk)
    return _page(request, person, CorrectAddressForm())


def _page(
    request: PersonRequest,
    person: User,
    form: CorrectAddressForm,
    *,
    link: str = "",
    status: int = 200,
) -> HttpResponse:
    hours = settings.PASSWORD_RESET_TIMEOUT // 3600
    # In another language it is drawn there, and not where its forms go to.
    here = reverse("people:way-in", args=[person.pk])
    context = {"person": person, "form": form, "link": link, "hours": hours, "page_url": here}
    answer = render(request, "account/way_in.html", context, status=status)
    answer["Cache-Control"] = "no-store"
    return answer


@for_stewards
@takes_forms("people:way-in")
def send_link(request: PersonRequest, pk: int) -> HttpResponse:
    """By letter."""
    person = get_object_or_404(User, pk=pk)
    try:
        actions.send_password_link(person=person, by=request.user, now=timezone.now())
        messages.success(request, _("Sent."))
    except Refused as refusal:
        messages.error(request, str(refusal.message))
    return redirect("people:way-in", pk)


@for_stewards
@takes_forms("people:way-in")
def give_link(request: PersonRequest, pk: int) -> HttpResponse:
    """By hand. The link is on this answer and nowhere else."""
    person = get_object_or_404(User, pk=pk)
    try:
        link = actions.give_sign_in_link(person=person, by=request.user, now=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal.message))
        return redirect("people:way-in", pk)
    return _page(request, person, CorrectAddressForm(), link=link)


@for_stewards
@takes_forms("people:way-in")
def correct_address(request: PersonRequest, pk: int) -> HttpResponse:
    """Another address in place of a wrong one."""
    person = get_object_or_404(User, pk=pk)
    form = CorrectAddressForm(request.POST)
    told: dict[str, Any] = {"person": person, "by": request.user, "now": timezone.now()}
    try:
        if form.is_valid():
            letters = actions.correct_address(address=form.cleaned_data["address"], **told)
            messages.success(request, _corrected(letters))
            return redirect("people:way-in", pk)
    except Refused as refusal:
        form.add_error("address", str(refusal.message))
    return _page(request, person, form, status=422)


def _corrected(letters: int) -> str:
    """What was done, and no more letters than left."""
    if not letters:
        return _("Corrected. Nobody was told, for no letter could be sent to an address before.")
    words = ngettext(
        "Corrected. The address from before was told.",
        "Corrected. %(n)s addresses from before were told.",
        letters,
    )
    return words % {"n": letters}
