"""What colour a word names, in either language: what is seen is what will be done."""

from __future__ import annotations

from django.http import JsonResponse
from django.views.decorators.http import require_safe

from restoration import wording
from restoration.engine import colours
from restoration.engine.errors import BadInput
from restoration.views.asking import Asked


@require_safe
def colour(request: Asked) -> JsonResponse:
    """The colour of `?word=`, or a sentence with words that are near."""
    try:
        rgb = colours.parse(request.GET.get("word", ""))
    except BadInput as bad:
        words = wording.problem(bad.code, bad.facts)
        return JsonResponse({"code": bad.code, "message": words}, status=422)
    return JsonResponse({"colour": "#{:02x}{:02x}{:02x}".format(*rgb)})
