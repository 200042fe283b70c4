"""A person's own pages, and the stewards' page of people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.forms import Form
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import actions, crediting, queries
from accounts.adapter import remember_language
from accounts.forms import (
    CollectionForm,
    PasswordForm,
    PeopleForm,
    ProfileForm,
    ReasonForm,
    TimeForm,
)
from accounts.models import User
from archive import trust
from archive.policy import Refused, check_steward
from restoration import allowing
from restoration.actions import standing as verbs
from restoration.actions.budgets import grant_person

P = ParamSpec("P")
PER_PAGE = 30


class PersonRequest(HttpRequest):
    """A request behind the sign-in wall."""

    user: User


@require_GET
def work(request: PersonRequest) -> HttpResponse:
    """My work: what is in hand, and what became of what I made."""
    found = queries.work_of(request.user, now=timezone.now())
    made = queries.versions_of(request.user).exclude(pk__in=[each.pk for each in found.returned])
    page = Paginator(made, PER_PAGE).get_page(request.GET.get("page"))
    context = {"work": found, "page": page}
    return render(request, "accounts/work.html", context)


@require_http_methods(["GET", "POST"])
def profile(request: PersonRequest) -> HttpResponse:
    """The name credits show, the language, and whether programs sign in as this person."""
    form = ProfileForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        person = form.save(commit=False)
        # Nothing else: somebody may have suspended or closed this account since it was read.
        person.save(update_fields=["display_name", "language"])
        messages.success(request, _("Saved."))
        response = redirect("people:profile")
        remember_language(response, person.language)
        return response
    context = {
        "form": form,
        "person": request.user,
        "token_since": queries.token_since(request.user),
        **_hidden_name(request.user, request.user),
        "password_form": PasswordForm(),
    }
    return render(request, "accounts/profile.html", context, status=422 if form.errors else 200)


def _hidden_name(row: User, by: User) -> dict[str, bool]:
    """Of a name that is out of public: whether its owner took it out, and who may put it back."""
    if not row.name_hidden_at:
        return {}
    return {
        "hid_own_name": queries.hid_own_name(row),
        "may_show_name": crediting.may_show(row, by),
    }


@require_POST
def end_token(request: PersonRequest) -> HttpResponse:
    """Programs that signed in as this person are signed out."""
    actions.end_token(person=request.user)
    messages.success(request, _("Ended. Programs have to sign in anew."))
    return redirect("people:profile")


@require_GET
def standing(request: PersonRequest) -> HttpResponse:
    """What my account may do, why, and what is left of my machine time today."""
    user, now = request.user, timezone.now()
    context = {
        "level": _level(user, now),
        "sentence": allowing.sentence(user, now=now),
        "next": allowing.next_level(user, accepted=queries.accepted_of(user)),
        "limits": allowing.rows(trust.limits(user, now=now)),
        "left": allowing.left_now(user, None, now=now, gpu=True),
        "runs": queries.paid_runs(user),
        "workshops": queries.workshops_of(user, now=now),
        "is_suspended": trust.is_suspended(user),
        "contact": settings.CONTACT_MAIL,
    }
    return render(request, "accounts/standing.html", context)


Steward = Callable[Concatenate[PersonRequest, P], HttpResponse]


def for_stewards(view: Steward[P]) -> Steward[P]:
    """Closed to everybody but stewards, before anything is looked up."""

    def guarded(request: PersonRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            check_steward(request.user)
        except Refused as refusal:
            raise PermissionDenied(str(refusal.message)) from None
        return view(request, *args, **kwargs)

    return update_wrapper(guarded, view)


def takes_forms(page: str) -> Callable[[Steward[P]], Steward[P]]:
    """Only forms; whoever comes to the address otherwise is led to the page that has the form.

    An answer may be drawn there, and a browser that reads it in another language comes back.
    """

    def takes(view: Steward[P]) -> Steward[P]:
        def guarded(request: PersonRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if request.method == "GET":
                return redirect(reverse(page, args=args, kwargs=kwargs))
            return view(request, *args, **kwargs)

        return require_http_methods(["GET", "POST"])(update_wrapper(guarded, view))

    return takes


@for_stewards
@require_GET
def people(request: PersonRequest) -> HttpResponse:
    """Everybody with an account, or those in one state."""
    form = PeopleForm(request.GET)
    wishes = form.cleaned_data if form.is_valid() else {"q": "", "state": ""}
    rows = queries.people(wishes["q"], wishes["state"])
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    query = urlencode({name: value for name, value in wishes.items() if value})
    return render(request, "accounts/people.html", {"page": page, "form": form, "query": query})


@for_stewards
@require_GET
def person(request: PersonRequest, pk: int) -> HttpResponse:
    """One person and their offices."""
    row = get_object_or_404(queries.people(), pk=pk)
    return render(request, "accounts/person.html", _about(row, request.user))


def _time_form(sent: QueryDict | None = None) -> TimeForm:
    # Reasons are asked for thrice on one page: each field has a name of its own for its label.
    return TimeForm(sent, auto_id="grant_%s")


def _suspend_form(sent: QueryDict | None = None) -> ReasonForm:
    return ReasonForm(sent, auto_id="suspend_%s")


def _about(row: User, by: User, **sent: Form) -> dict[str, Any]:
    """All that the page of one person shows, with a form as it was `sent`; in a fixed number of
    queries."""
    now = timezone.now()
    is_down = row.trust in (trust.Trust.LIMITED, trust.Trust.SUSPENDED)
    is_suspended = trust.is_suspended(row)
    is_taken_down_here = not row.closed_at and not row.is_steward
    return {
        "person": row,
        "form": CollectionForm(),
        "trust_form": ReasonForm(),
        "suspend_form": _suspend_form(),
        "grant_form": _time_form(),
        # What the verbs would refuse is not offered; what was typed before is not lost by that.
        "may_limit": "trust_form" in sent or (is_taken_down_here and not is_down),
        "may_suspend": "suspend_form" in sent or (is_taken_down_here and not is_suspended),
        "may_hide": is_suspended or not row.is_steward,
        "page_url": reverse("people:person", args=[row.pk]),
        # Who was taken down reads so here, whatever an office lets them do meanwhile.
        "level": row.get_trust_display() if is_down else _level(row, now),
        "is_down": is_down,
        "is_suspended": is_suspended,
        **_last_trust(row),
        "hiding": queries.hiding_of(row),
        **_hidden_name(row, by),
        "accepted": queries.accepted_of(row),
        "left": allowing.left_now(row, None, now=now, gpu=True),
        "grants": queries.grants(row),
        **sent,
    }


def _last_trust(row: User) -> dict[str, Any]:
    told = queries.last_trust(row)
    level = told.verb.removeprefix("trust.") if told else ""
    return {"last_trust": told, "last_trust_label": trust.Trust(level).label if told else ""}


def _level(row: User, now: datetime) -> str:
    return str(trust.Trust(trust.level(row, now=now)).label)


@for_stewards
@require_POST
def make_steward(request: PersonRequest, pk: int) -> HttpResponse:
    return _office(request, pk, actions.make_steward, _("This person is now a steward."))


@for_stewards
@require_POST
def unmake_steward(request: PersonRequest, pk: int) -> HttpResponse:
    return _office(request, pk, actions.unmake_steward, _("This person is no steward any more."))


@for_stewards
@require_POST
def appoint(request: PersonRequest, pk: int) -> HttpResponse:
    return _curator(request, pk, actions.appoint_curator, _("Appointed."))


@for_stewards
@require_POST
def dismiss(request: PersonRequest, pk: int) -> HttpResponse:
    return _curator(request, pk, actions.dismiss_curator, _("Dismissed. Their decisions stay."))


def _curator(request: PersonRequest, pk: int, verb: Callable[..., None], said: str) -> HttpResponse:
    form = CollectionForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose a collection."))
        return redirect("people:person", pk)
    return _office(request, pk, verb, said, collection=form.cleaned_data["collection"])


def _office(
    request: PersonRequest, pk: int, verb: Callable[..., None], said: str, **what: Any
) -> HttpResponse:
    row = get_object_or_404(User, pk=pk)
    try:
        verb(person=row, by=request.user, now=timezone.now(), **what)
        messages.success(request, said)
    except Refused as refusal:
        messages.error(request, str(refusal.message))
    return redirect("people:person", pk)


@for_stewards
@takes_forms("people:person")
def limit(request: PersonRequest, pk: int) -> HttpResponse:
    sent: dict[str, Form] = {"trust_form": ReasonForm(request.POST)}
    return _sent(request, pk, verbs.limit_person, _("This account is slowed down."), sent)


@for_stewards
@takes_forms("people:person")
def suspend(request: PersonRequest, pk: int) -> HttpResponse:
    sent: dict[str, Form] = {"suspend_form": _suspend_form(request.POST)}
    return _sent(request, pk, verbs.suspend_person, _("This account is suspended."), sent)


def _sent(
    request: PersonRequest, pk: int, verb: Callable[..., None], said: str, sent: dict[str, Form]
) -> HttpResponse:
    """What a form asks for; refused, the page comes again with all that was typed."""
    row = get_object_or_404(User, pk=pk)
    (form,) = sent.values()
    try:
        if form.is_valid():
            verb(person=row, by=request.user, now=timezone.now(), **form.cleaned_data)
            messages.success(request, said)
            return redirect("people:person", pk)
    except Refused as refusal:
        form.add_error(None, str(refusal.message))
    # Read anew: it was refused for what the row is by now.
    context = _about(queries.people().get(pk=pk), request.user, **sent)
    return render(request, "accounts/person.html", context, status=422)


@for_stewards
@require_POST
def switch_off(request: PersonRequest, pk: int) -> HttpResponse:
    said = _("Switched off: nobody signs in with this account. What was made with it stays.")
    return _office(request, pk, actions.switch_off, said)


@for_stewards
@require_POST
def switch_on(request: PersonRequest, pk: int) -> HttpResponse:
    said = _("Switched on: this person can sign in again.")
    return _office(request, pk, actions.switch_on, said)


@for_stewards
@require_POST
def hide_name(request: PersonRequest, pk: int) -> HttpResponse:
    said = _("What this person published says “a volunteer” now.")
    return _office(request, pk, crediting.hide_name, said)


@for_stewards
@require_POST
def show_name(request: PersonRequest, pk: int) -> HttpResponse:
    said = _("What this person published says their name again.")
    return _office(request, pk, crediting.show_name, said)


@for_stewards
@takes_forms("people:person")
def grant(request: PersonRequest, pk: int) -> HttpResponse:
    """Machine time besides the day's."""
    form = _time_form(request.POST)
    is_gift = form.is_valid() and form.cleaned_data["minutes"] > 0
    said = _("Given.") if is_gift else _("Taken back.")
    return _sent(request, pk, grant_person, said, {"grant_form": form})
