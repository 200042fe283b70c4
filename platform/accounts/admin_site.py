"""The administration's door: stewards only, through the same sign-in as everybody."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from archive.policy import Refused, check_steward

# A token is as good as a password, so is a tick that an address is confirmed; and groups mean
# nothing here.
HIDDEN = frozenset(
    {
        "authtoken.tokenproxy",
        "account.emailaddress",
        "account.emailconfirmation",
        "auth.group",
    }
)


class StewardSite(admin.AdminSite):
    """Rows for the rare case in which no page has a button."""

    site_header = _("Rekindle administration")
    site_title = _("Rekindle administration")
    index_title = _("Rows")

    def register(
        self,
        model_or_iterable: type[Model] | Iterable[type[Model]],
        admin_class: type[admin.ModelAdmin[Any]] | None = None,
        **options: Any,
    ) -> None:
        """As Django does, without what nobody should look into."""
        given = model_or_iterable
        models = [given] if isinstance(given, type) else list(given)
        shown = [model for model in models if model._meta.label_lower not in HIDDEN]
        super().register(shown, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        """Who may give offices, and nobody else: a suspended steward only looks at own work."""
        user = request.user
        if not (user.is_authenticated and user.is_active):
            return False
        try:
            check_steward(user)
        except Refused:
            return False
        return True

    @method_decorator(require_safe)
    def password_change(  # type: ignore[override]  # Django's own draws a page
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The site's own page, which tells the owner by letter; this one would not."""
        return redirect("account_change_password")

    # The site's own sign-in counts wrong passwords; a second door would not.
    @method_decorator(login_not_required)
    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.user.is_authenticated and not self.has_permission(request):
            raise PermissionDenied
        given = request.GET.get("next", "")
        safe = url_has_allowed_host_and_scheme(given, {request.get_host()})
        return redirect_to_login(given if safe else reverse("admin:index"))
