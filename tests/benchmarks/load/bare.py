"""The yardstick: a bare Django page with one query and a template, under the same server.

What `django-admin startproject` writes (its middleware, cached templates), the same database with
connections that stay, one row by an indexed column, forty lines of HTML. Nothing of the product.
"""

import os

import django
from django.conf import settings

from config.env import database

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{{ row.0 }}</title>
</head><body><h1>{{ row.1 }}</h1><dl>{% for cell in row %}<dt>{{ forloop.counter }}</dt>
<dd>{{ cell }}</dd>{% endfor %}</dl>{% if row.2 %}<p>{{ row.2 }}</p>{% endif %}
<nav><ul>{% for name in names %}<li><a href="/{{ name }}">{{ name }}</a></li>{% endfor %}</ul>
</nav></body></html>"""
NAMES = ("exhibits", "wall", "work", "desk", "collections", "people", "api", "about")
BUILT_IN = "django.contrib"
APPS = ("auth", "contenttypes", "sessions", "messages")
LOADER = ("django.template.loaders.locmem.Loader", {"page.html": PAGE})

settings.configure(
    SECRET_KEY="only-for-this",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    DATABASES={"default": database("REKINDLE_DATABASE_URL", os.environ["REKINDLE_DATABASE_URL"])},
    INSTALLED_APPS=[
        f"{BUILT_IN}.{name}" for name in ("auth", "contenttypes", "sessions", "messages")
    ],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        f"{BUILT_IN}.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        f"{BUILT_IN}.auth.middleware.AuthenticationMiddleware",
        f"{BUILT_IN}.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {
                "loaders": [("django.template.loaders.cached.Loader", [LOADER])],
                "context_processors": [
                    "django.template.context_processors.request",
                    f"{BUILT_IN}.auth.context_processors.auth",
                    f"{BUILT_IN}.messages.context_processors.messages",
                ],
            },
        }
    ],
)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import models  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.shortcuts import get_object_or_404, render  # noqa: E402
from django.urls import path  # noqa: E402


class Scan(models.Model):
    """A row of the photos, with as many columns as a page shows."""

    ref = models.CharField(max_length=10)
    title_en = models.CharField(max_length=200)
    place_en = models.CharField(max_length=200)
    people_en = models.CharField(max_length=500)
    description_en = models.TextField()
    identifier = models.CharField(max_length=200)
    date_edtf = models.CharField(max_length=60)

    class Meta:
        app_label = "bare"
        managed = False
        db_table = "archive_photo"

    def __str__(self) -> str:
        return self.ref


def page(request: HttpRequest, ref: str) -> HttpResponse:
    """One row, one template."""
    row = get_object_or_404(Scan.objects.values_list(*FIELDS), ref=ref)
    return render(request, "page.html", {"row": row, "names": NAMES})


FIELDS = [field.name for field in Scan._meta.fields]
urlpatterns = [path("bare/<slug:ref>/", page)]
application = get_wsgi_application()
