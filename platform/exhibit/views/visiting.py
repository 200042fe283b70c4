"""What every public view starts from: strangers are welcome, and may keep what they see a while."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.views.decorators.http import require_safe

View = TypeVar("View", bound=Callable[..., HttpResponse])

# A page carries the visitor's own form token, so only the visitor's browser may keep it.
A_WHILE = 60


def for_everybody(view: View) -> View:
    """A page for strangers too; it differs by cookie (person, language) and by language."""

    @wraps(view)
    def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if request.user.is_authenticated or response.status_code != 200:
            patch_cache_control(response, private=True, no_cache=True)
        else:
            patch_cache_control(response, private=True, max_age=A_WHILE)
        patch_vary_headers(response, ("Cookie", "Accept-Language"))
        return response

    return cast(View, login_not_required(require_safe(shown)))
