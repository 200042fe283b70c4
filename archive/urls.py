"""The addresses of the archive."""

from django.urls import path

from archive import batch_views, pair_views, tus, views

app_name = "archive"

BATCH = "collections/<slug:slug>/batches/<int:pk>"
PAIR = "collections/<slug:slug>/pairs/<int:pk>"

urlpatterns = [
    path("collections/", views.collections, name="collections"),
    path("collections/new", views.new_collection, name="collection-new"),
    path("collections/<slug:slug>/", views.collection, name="collection"),
    path("collections/<slug:slug>/edit", views.edit_collection, name="collection-edit"),
    path("collections/<slug:slug>/descriptions.csv", batch_views.descriptions, name="descriptions"),
    path("collections/<slug:slug>/upload", tus.page, name="upload"),
    path("collections/<slug:slug>/uploads", tus.uploads, name="uploads"),
    path("uploads/<slug:upload>", tus.one, name="upload-one"),
    path("uploads/<slug:upload>/parts", tus.parts, name="upload-parts"),
    path("uploads/<slug:upload>/join", tus.join, name="upload-join"),
    path("uploads/<slug:upload>/give-up", tus.give_up, name="upload-give-up"),
    path("collections/<slug:slug>/scans", views.receive, name="receive"),
    path("collections/<slug:slug>/batches/", batch_views.batch_list, name="batches"),
    path("collections/<slug:slug>/batches/new", batch_views.new_batch, name="batch-new"),
    path(BATCH, batch_views.batch, name="batch"),
    path(f"{BATCH}/report.csv", batch_views.batch_report, name="batch-report"),
    path(f"{BATCH}/pages", batch_views.batch_pages, name="batch-pages"),
    path(f"{BATCH}/<slug:verb>", batch_views.move_batch, name="batch-move"),
    path("collections/<slug:slug>/pairs/", pair_views.pair_list, name="pairs"),
    path(f"{PAIR}/decide", pair_views.decide, name="pair-decide"),
    path(f"{PAIR}/again", pair_views.take_back, name="pair-again"),
    path("alarms/", views.alarms, name="alarms"),
    path("scans/<slug:ref>/state", views.state, name="state"),
    path("audit/", views.audit, name="audit"),
    path("audit/events.csv", views.audit_file, name="audit-file"),
    path("scans/<slug:ref>/edit", views.describe, name="describe"),
    path("scans/<slug:ref>/again", views.read_again, name="read-again"),
    path("scans/<slug:ref>/pages", views.pages, name="pages"),
    path("scans/<slug:ref>/hold", views.hold, name="hold"),
    path("scans/<slug:ref>/release", views.release, name="release"),
    path("scans/<slug:ref>/withdraw", views.withdraw, name="withdraw"),
    path("scans/<slug:ref>/original", views.original, name="original"),
    path("scans/<slug:ref>/<str:name>", views.picture, name="picture"),
]
