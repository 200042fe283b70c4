"""A template filter for photos that nobody has given a title; see exhibit.wording."""

from __future__ import annotations

from django import template

from exhibit import wording

register = template.Library()
# `{% localised photo "title" photo|untitled %}`: the name that the publish form promises.
register.filter("untitled", wording.untitled)
