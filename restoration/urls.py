"""The addresses of the work."""

from django.urls import path

from restoration.views import (
    again,
    bench,
    budgets,
    claims,
    colours,
    desk,
    jobs,
    machines,
    pictures,
    versions,
    wall,
)

app_name = "restoration"

PHOTO = "photos/<slug:ref>/"
VERSION = f"{PHOTO}versions/<int:number>/"

urlpatterns = [
    path("machines/", machines.machines, name="machines"),
    path("machines/<int:number>/again", machines.look_again, name="look-again"),
    path("wall/", wall.wall, name="wall"),
    path("wall/one", wall.give_one, name="give-one"),
    path(PHOTO, bench.bench, name="bench"),
    path(f"{PHOTO}claim", claims.claim, name="claim"),
    path(f"{PHOTO}beat", claims.beat, name="beat"),
    path(f"{PHOTO}extend", claims.extend, name="extend"),
    path(f"{PHOTO}release", claims.release, name="release"),
    path(f"{PHOTO}draft", bench.draft, name="draft"),
    path(f"{PHOTO}masks", bench.mask, name="mask"),
    path(f"{PHOTO}run", bench.run, name="run"),
    path(f"{PHOTO}strip", bench.strip_part, name="strip"),
    path(f"{PHOTO}compare/", versions.compare, name="compare"),
    path(f"{PHOTO}scan/<str:name>", pictures.scan, name="scan"),
    path(f"{PHOTO}sheets/<slug:sha256>.png", pictures.sheet, name="sheet"),
    path(f"{VERSION}maps/<slug:name>.png", pictures.overlay, name="map"),
    path(f"{VERSION}iiif/<int:pipeline>/info.json", pictures.info, name="info"),
    path(f"{VERSION}iiif/<int:pipeline>/<path:wanted>", pictures.tile, name="tile"),
    path(f"{VERSION}working.<slug:kind>", versions.working, name="working"),
    path(f"{VERSION}retouch", versions.retouch, name="retouch"),
    path(f"{VERSION}again", again.version, name="again"),
    path(f"{VERSION}submit", versions.submit, name="submit"),
    path(f"{VERSION}withdraw", versions.withdraw, name="withdraw"),
    path(f"{VERSION}<str:name>", pictures.version, name="picture"),
    path("colours", colours.colour, name="colour"),
    path("jobs/<int:number>/", jobs.job, name="job"),
    path("jobs/<int:number>/cancel", jobs.cancel, name="cancel"),
    path("jobs/<int:number>/again", again.job, name="run-again"),
    path("jobs/<int:number>/preview.jpg", jobs.preview, name="preview"),
    path("budgets/", budgets.budgets, name="budgets"),
    path("budgets/grant", budgets.grant, name="grant"),
    path("budgets/<slug:slug>/<slug:kind>/lift", budgets.lift, name="lift"),
    path("workshops/", budgets.workshops, name="workshops"),
    path("workshops/<int:pk>/", budgets.workshop, name="workshop"),
    path("workshops/<int:pk>/close", budgets.close_workshop, name="workshop-close"),
    path("join/", budgets.join, name="join"),
    path("desk/", desk.desk, name="desk"),
    path("desk/<int:pk>/open", desk.open_review, name="review-open"),
    path("reviews/<int:pk>/", desk.review, name="review"),
    path("reviews/<int:pk>/accept", desk.accept, name="review-accept"),
    path("reviews/<int:pk>/return", desk.return_, name="review-return"),
    path("reviews/<int:pk>/decline", desk.decline, name="review-decline"),
    path("reviews/<int:pk>/release", desk.release, name="review-release"),
    path("reviews/<int:pk>/beat", desk.beat, name="review-beat"),
]
