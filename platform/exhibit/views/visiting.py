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

# Seconds for which a browser or a cache on the way may show a page without asking again.
A_WHILE = 60
# What of a query a public page heeds (config.kept_pages knows the values); of an address with
# more to it nothing is kept, for anybody can make up more.
ASKED = frozenset({"layer"})


def for_everybody(view: View) -> View:
    """A page for strangers too; it differs by cookie (person, language) and by language.

    What strangers get is the same for all of them, without a token or a name in it, so the site
    keeps it until the next edition (config.kept_pages).
    """

    @wraps(view)
    def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if request.user.is_authenticated or response.status_code != 200:
            patch_cache_control(response, private=True, no_cache=True)
        else:
            patch_cache_control(response, public=True, max_age=A_WHILE)
            response.same_for_strangers = not set(request.GET) - ASKED  # type: ignore[attr-defined]
        patch_vary_headers(response, ("Cookie", "Accept-Language"))
        return response

    return cast(View, login_not_required(require_safe(shown)))


def same_for_all(request: HttpRequest) -> None:
    """The answer does not depend on who asks, so caches on the way need not tell people apart.

    The sign-in is looked at before every view, and would be named in Vary for that alone.
    """
    request.session.accessed = False
