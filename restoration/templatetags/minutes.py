"""`{{ purse.balance|minutes }}`: machine time as people say it."""

from __future__ import annotations

from django import template

from restoration import ledger

register = template.Library()
register.filter("minutes", ledger.minutes)
