"""Every address of the site, by the part that answers it."""

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

from accounts.own_views import set_language
from config import health, metrics

handler400 = "config.away.unread"
handler500 = "config.away.broken"
urlpatterns = [
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("metrics", metrics.metrics, name="metrics"),
    # Without a token: it would make a stranger's page differ from another's. Whoever sends this
    # from elsewhere can change the language somebody reads in, and nothing else.
    path("i18n/", csrf_exempt(login_not_required(set_language)), name="set_language"),
    path("account/", include("allauth.account.urls")),
    path("admin/", admin.site.urls),
    path("api/", include("api.urls")),
    path("people/", include("accounts.urls")),
    # The public first page and everything under /exhibits/, /published/ and /curate/.
    path("", include("exhibit.urls")),
    path("", include("restoration.urls")),
    path("", include("archive.urls")),
]
