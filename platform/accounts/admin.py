"""People in the administration."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.utils.translation import gettext_lazy as _

from accounts.models import User


@admin.register(User)
class PersonAdmin(UserAdmin[User]):
    """A person: name, mail, whether the account is on. Offices are given on the page of people."""

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
    readonly_fields = ("last_login", "date_joined")
