"""Template tags for text that is kept in two languages; see archive.languages."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import conditional_escape, format_html, linebreaks
from django.utils.safestring import SafeString, mark_safe

from archive.languages import said

register = template.Library()


@register.simple_tag
def localised(thing: Any, name: str, default: str = "") -> SafeString:
    """`{% localised photo "title" %}`: the reader's language, else the other inside its `lang`."""
    text, lang = said(thing, name)
    if lang:
        return format_html('<span lang="{}">{}</span>', lang, text)
    return conditional_escape(text or default)


@register.simple_tag
def localised_block(thing: Any, name: str) -> SafeString:
    """`{% localised_block placement "story" %}`: the same for prose, in paragraphs."""
    text, lang = said(thing, name)
    paragraphs = mark_safe(linebreaks(text, autoescape=True)) if text else mark_safe("")  # noqa: S308 escaped by linebreaks
    return format_html('<div lang="{}">{}</div>', lang, paragraphs) if lang else paragraphs


@register.simple_tag
def localised_text(thing: Any, name: str, default: str = "") -> str:
    """The text alone, for titles and attributes that cannot carry a `lang` of their own."""
    return said(thing, name).text or default


@register.simple_tag
def localised_lang(thing: Any, name: str) -> str:
    """The tag of the other language when that is what will be shown, else nothing."""
    return said(thing, name).lang
