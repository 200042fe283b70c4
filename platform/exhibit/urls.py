"""The public addresses, and under curate/ those of the people who arrange."""

from django.urls import path, re_path

from exhibit.views import editor, hiding, iiif, pictures, public, publishing

app_name = "exhibit"

SERVICE = r"^published/(?P<pk>\d+)/iiif/(?P<side>original|restored)-(?P<pipeline>\d{1,4})"

urlpatterns = [
    path("", public.home, name="home"),
    path("exhibits/", public.exhibits, name="list"),
    path("exhibits/<slug:slug>/", public.exhibit, name="exhibit"),
    path("exhibits/<slug:slug>/collection.json", iiif.collection, name="collection"),
    path("exhibits/<slug:slug>/<slug:ref>/", public.photo, name="photo"),
    path("exhibits/<slug:slug>/<slug:ref>/zoom/", public.zoom, name="zoom"),
    path("exhibits/<slug:slug>/<slug:ref>/made.json", public.made, name="made"),
    path("published/<int:pk>/", public.permalink, name="permalink"),
    path("published/<int:pk>/changed.png", pictures.changed, name="changed"),
    path("published/<int:pk>/download/<slug:size>.jpg", pictures.download, name="download"),
    path("published/<int:pk>/<slug:side>/<slug:size>.jpg", pictures.picture, name="picture"),
    path("published/<int:pk>/manifest.json", iiif.manifest, name="manifest"),
    re_path(rf"{SERVICE}$", iiif.service, name="service"),
    re_path(rf"{SERVICE}/info\.json$", iiif.info, name="info"),
    re_path(rf"{SERVICE}/(?P<wanted>[a-z0-9,^:/]+\.jpg)$", iiif.tile, name="tile"),
    path("curate/exhibits/", editor.manage, name="manage"),
    path("curate/exhibits/new/", editor.create, name="create"),
    path("curate/exhibits/<slug:slug>/", editor.edit, name="edit"),
    path("curate/exhibits/<slug:slug>/open", editor.open_doors, name="open"),
    path("curate/exhibits/<slug:slug>/close", editor.close_doors, name="close"),
    path("curate/exhibits/<slug:slug>/rooms", editor.add_room, name="add-room"),
    path("curate/rooms/<int:pk>/", editor.edit_room, name="room"),
    re_path(r"^curate/rooms/(?P<pk>\d+)/(?P<way>up|down)$", editor.move_room, name="move-room"),
    path("curate/rooms/<int:pk>/remove", editor.remove_room, name="remove-room"),
    path("curate/placements/<int:pk>/", editor.edit_words, name="words"),
    re_path(
        r"^curate/placements/(?P<pk>\d+)/(?P<way>up|down)$",
        editor.move_placement,
        name="move-placement",
    ),
    path("curate/people/<int:pk>/hide/", hiding.hide, name="hide"),
    path("curate/people/<int:pk>/unhide", hiding.unhide, name="unhide"),
    path("curate/people/<int:pk>/restore", hiding.restore, name="restore"),
    path("curate/versions/<int:pk>/publish/", publishing.publish, name="publish"),
    path("curate/publications/<int:pk>/evidence/", publishing.evidence, name="evidence"),
    path("curate/publications/<int:pk>/evidence.zip", publishing.pack, name="evidence-pack"),
    path("curate/publications/<int:pk>/retract/", publishing.retract, name="retract"),
    path("curate/publications/<int:pk>/suspend", publishing.suspend, name="suspend"),
    path("curate/publications/<int:pk>/resume", publishing.resume, name="resume"),
]
