"""How a steward helps somebody in again who lost the password, the address, or both."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts import actions
from accounts.forms import CorrectAddressForm
from accounts.models import User
from accounts.views import PersonRequest, for_stewards


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
    context = {"person": person, "form": form, "link": link, "hours": hours}
    answer = render(request, "account/way_in.html", context, status=status)
    answer["Cache-Control"] = "no-store"
    return answer


@for_stewards
@require_POST
def send_link(request: PersonRequest, pk: int) -> HttpResponse:
    """By letter."""
    person = get_object_or_404(User, pk=pk)
    actions.send_password_link(person=person, by=request.user, now=timezone.now())
    messages.success(request, _("Sent."))
    return redirect("people:way-in", pk)


@for_stewards
@require_POST
def give_link(request: PersonRequest, pk: int) -> HttpResponse:
    """By hand. The link is on this answer and nowhere else."""
    person = get_object_or_404(User, pk=pk)
    link = actions.give_sign_in_link(person=person, by=request.user, now=timezone.now())
    return _page(request, person, CorrectAddressForm(), link=link)


@for_stewards
@require_POST
def correct_address(request: PersonRequest, pk: int) -> HttpResponse:
    """Another address in place of a wrong one."""
    person = get_object_or_404(User, pk=pk)
    form = CorrectAddressForm(request.POST)
    if not form.is_valid():
        return _page(request, person, form, status=422)
    address = form.cleaned_data["address"]
    actions.correct_address(person=person, address=address, by=request.user, now=timezone.now())
    messages.success(request, _("Corrected. The addresses from before were told."))
    return redirect("people:way-in", pk)
