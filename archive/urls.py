"""The addresses of the archive."""

from django.urls import path

from archive import views

app_name = "archive"

urlpatterns = [
    path("collections/", views.collections, name="collections"),
    path("collections/new", views.new_collection, name="collection-new"),
    path("collections/<slug:slug>/", views.collection, name="collection"),
    path("collections/<slug:slug>/edit", views.edit_collection, name="collection-edit"),
    path("collections/<slug:slug>/upload", views.upload, name="upload"),
    path("collections/<slug:slug>/scans", views.receive, name="receive"),
    path("alarms/", views.alarms, name="alarms"),
    path("scans/<slug:ref>/state", views.state, name="state"),
    path("audit/", views.audit, name="audit"),
    path("audit/events.csv", views.audit_file, name="audit-file"),
    path("scans/<slug:ref>/edit", views.describe, name="describe"),
    path("scans/<slug:ref>/again", views.read_again, name="read-again"),
    path("scans/<slug:ref>/hold", views.hold, name="hold"),
    path("scans/<slug:ref>/release", views.release, name="release"),
    path("scans/<slug:ref>/withdraw", views.withdraw, name="withdraw"),
    path("scans/<slug:ref>/original", views.original, name="original"),
    path("scans/<slug:ref>/<str:name>", views.picture, name="picture"),
]
