"""Every address of the site, by the part that answers it."""

from importlib.util import find_spec

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.urls import URLPattern, URLResolver, include, path
from django.views.i18n import set_language

from config import health

urlpatterns: list[URLPattern | URLResolver] = [
    path("health", health.live, name="health"),
    path("health/ready", health.ready, name="health-ready"),
    path("i18n/", login_not_required(set_language), name="set_language"),
    path("account/", include("allauth.account.urls")),
    path("admin/", admin.site.urls),
]
for module, route in {
    "api.urls": "api/",
    "accounts.urls": "people/",
    # The public first page and everything under /exhibits/, /published/ and /curate/.
    "exhibit.urls": "",
    "restoration.urls": "",
    "archive.urls": "",
}.items():
    if find_spec(module):
        urlpatterns.append(path(route, include(module)))
