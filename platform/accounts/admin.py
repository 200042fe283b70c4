"""People in the administration."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import actions as verbs
from accounts.models import User
from archive.admin import ReadOnly
from archive.policy import Refused


@admin.register(User)
class PersonAdmin(ReadOnly):
    """A person, to look at; the list switches accounts off and on by the verbs that do it.

    All else is done on the page of people, where it leaves a line in the log of events: here a
    steward could give an account another password or address, and act as somebody else unseen.
    """

    list_display = ("username", "display_name", "email", "is_steward", "is_active", "date_joined")
    list_filter = ("is_steward", "is_active")
    search_fields = ("username", "display_name", "email")
    ordering = ("username",)
    fieldsets = (
        (None, {"fields": ("username",)}),
        (_("Person"), {"fields": ("display_name", "email", "language")}),
        (_("Account"), {"fields": ("is_active", "is_steward", "last_login", "date_joined")}),
    )
    actions = ("switch_off", "switch_on")

    def has_switch_permission(self, request: HttpRequest) -> bool:
        """Whoever sees the list may; the verbs ask again."""
        return self.has_view_permission(request)

    @admin.action(description=_("Switch these accounts off"), permissions=["switch"])
    def switch_off(self, request: HttpRequest, rows: QuerySet[User]) -> None:
        self._each(request, rows, verbs.switch_off)

    @admin.action(description=_("Switch these accounts on"), permissions=["switch"])
    def switch_on(self, request: HttpRequest, rows: QuerySet[User]) -> None:
        self._each(request, rows, verbs.switch_on)

    def _each(self, request: HttpRequest, rows: QuerySet[User], verb: Callable[..., None]) -> None:
        for person in rows:
            try:
                verb(person=person, by=request.user, now=timezone.now())
            except Refused as refusal:
                self.message_user(request, f"{person}: {refusal.message}", messages.ERROR)
