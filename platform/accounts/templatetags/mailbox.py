"""What pages say of letters: whether there are any, and whom to write to."""

from __future__ import annotations

from django import template
from django.conf import settings

from accounts import letters

register = template.Library()


@register.simple_tag
def letters_are_sent() -> bool:
    """`{% letters_are_sent as sent %}`: False where they are printed into a log."""
    return letters.are_sent()


@register.simple_tag
def contact_mail() -> str:
    """`{% contact_mail as contact %}`: the address of whoever runs the site."""
    return str(settings.CONTACT_MAIL)
