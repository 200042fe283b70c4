"""People in the administration."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import actions as verbs
from accounts.models import User
from archive.policy import Refused


@admin.register(User)
class PersonAdmin(UserAdmin[User]):
    """A person: name and mail; the list switches accounts off and on by the verbs that do it.

    Offices are given on the page of people, and whoever holds that of a steward is not deleted.
    """

    list_display = ("username", "display_name", "email", "is_steward", "is_active", "date_joined")
    list_filter = ("is_steward", "is_active")
    search_fields = ("username", "display_name", "email")
    ordering = ("username",)
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Person"), {"fields": ("display_name", "email", "language")}),
        (_("Account"), {"fields": ("is_active", "is_steward", "last_login", "date_joined")}),
    )
    readonly_fields = ("is_active", "is_steward", "last_login", "date_joined")
    actions = ("switch_off", "switch_on")

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        is_steward = obj is not None and obj.is_steward
        return not is_steward and super().has_delete_permission(request, obj)

    @admin.action(description=_("Switch these accounts off"), permissions=["change"])
    def switch_off(self, request: HttpRequest, rows: QuerySet[User]) -> None:
        self._each(request, rows, verbs.switch_off)

    @admin.action(description=_("Switch these accounts on"), permissions=["change"])
    def switch_on(self, request: HttpRequest, rows: QuerySet[User]) -> None:
        self._each(request, rows, verbs.switch_on)

    def _each(self, request: HttpRequest, rows: QuerySet[User], verb: Callable[..., None]) -> None:
        for person in rows:
            try:
                verb(person=person, by=request.user, now=timezone.now())
            except Refused as refusal:
                self.message_user(request, f"{person}: {refusal.message}", messages.ERROR)
