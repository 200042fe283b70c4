"""What becomes of one's own account: its name, sessions, data and end; and its language."""

from __future__ import annotations

from collections.abc import Callable

from allauth.account.adapter import get_adapter
from allauth.core.internal import ratelimit
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views import i18n
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import actions, crediting, leaving, own_data, queries
from accounts.forms import CloseForm, PasswordForm
from accounts.models import User
from accounts.views import PersonRequest
from archive import pictures
from archive.policy import Refused

# One count with the library's own page that asks for the password once more.
APP, GUESSES = "allauth.account", "reauthenticate"


@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """The switch in the header: for this device, and for the next one of who is signed in."""
    response = i18n.set_language(request)
    chosen = request.POST.get("language", "")
    if isinstance(request.user, User):
        actions.choose_language(person=request.user, language=chosen)
    return response


@login_not_required
@require_GET
def privacy(request: HttpRequest) -> HttpResponse:
    """What the site keeps of people, for how long, and who sees it."""
    return render(request, "accounts/privacy.html", {"contact": settings.CONTACT_MAIL})


@require_POST
def hide_name(request: PersonRequest) -> HttpResponse:
    """My name goes from what I published."""
    return _named(request, crediting.hide_name, _("What you published says “a volunteer” now."))


@require_POST
def show_name(request: PersonRequest) -> HttpResponse:
    """My name comes back to it."""
    return _named(request, crediting.show_name, _("What you published says your name again."))


def _named(request: PersonRequest, verb: Callable[..., None], said: str) -> HttpResponse:
    try:
        verb(person=request.user, by=request.user, now=timezone.now())
        messages.success(request, said)
    except Refused as refusal:
        messages.error(request, str(refusal.message))
    return redirect("people:profile")


@require_POST
def sign_out_elsewhere(request: PersonRequest) -> HttpResponse:
    """This page stays signed in, and nothing else does."""
    try:
        password = _password(request)
        leaving.sign_out_elsewhere(person=request.user, password=password)
    except Refused as refused:
        if refused.wait:
            raise
        messages.error(request, str(refused.message))
        return redirect("people:profile")
    update_session_auth_hash(request, request.user)
    messages.success(request, _("Signed out everywhere else."))
    return redirect("people:profile")


def _password(request: PersonRequest) -> str:
    """What was typed as the password, or nothing; whoever guesses on is told to wait.

    The verb looks at it too. Here a wrong one counts with those at the door, or an open page were
    a place to guess on.
    """
    if not ratelimit.consume(request, app=APP, action=GUESSES, user=request.user):
        words = _("Too many tries. Wait a minute.")
        raise Refused("too-many-tries", words, wait=60)
    form = PasswordForm(request.POST)
    password = str(form.cleaned_data["password"]) if form.is_valid() else ""
    return password if password and _is_theirs(request, password) else ""


def _is_theirs(request: PersonRequest, password: str) -> bool:
    try:
        return bool(get_adapter(request).reauthenticate(request.user, password))
    except ValidationError as refused:
        wait = 60 * int((refused.params or {}).get("n", 1))
        raise Refused("too-many-tries", refused.messages[0], wait=wait) from None


@never_cache
@require_GET
def data(request: PersonRequest) -> HttpResponseBase:
    """Everything of one's own, as a file to take along."""
    lines = own_data.lines(request.user)
    answer = StreamingHttpResponse(lines, content_type="application/json; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="rekindle-my-data.json"'
    return pictures.closed(answer)


@never_cache
@require_http_methods(["GET", "POST"])
def close(request: PersonRequest) -> HttpResponse:
    """What happens when one leaves, and the button that does it."""
    # Whose name a steward took out is asked for the password alone.
    is_unnamed = bool(request.user.name_hidden_at) and not queries.hid_own_name(request.user)
    form = (PasswordForm if is_unnamed else CloseForm)(request.POST or None)
    if form.is_valid() and _closed(request, form):
        logout(request)
        messages.success(request, _("Your account is closed. Thank you for what you made."))
        return redirect("/")
    context = {"form": form, "contact": settings.CONTACT_MAIL, "is_unnamed": is_unnamed}
    status = 422 if form.errors else 200
    return render(request, "accounts/close.html", context, status=status)


def _closed(request: PersonRequest, form: PasswordForm) -> bool:
    try:
        leaving.close_account(
            person=request.user,
            password=_password(request),
            keep_name=form.cleaned_data.get("credit") != CloseForm.HIDE,
            now=timezone.now(),
        )
    except Refused as refused:
        if refused.wait:
            raise
        field = "password" if refused.code == "wrong-password" else None
        form.add_error(field, str(refused.message))
        return False
    return True
