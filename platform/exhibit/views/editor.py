"""For curators: make exhibits, arrange their rooms, order what hangs in them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from archive.models import Collection, Photo
from archive.templatetags.languages import localised
from exhibit import arranging, queries
from exhibit.forms import ExhibitForm, HeadlineForm, RoomForm, WordsForm
from exhibit.models import Exhibit, Placement, Room
from restoration.models import Version

if TYPE_CHECKING:
    from accounts.models import User

    class Asked(HttpRequest):
        """A request of somebody signed in: the site is closed to others by its middleware."""

        user: User
else:
    Asked = HttpRequest

INVALID = 422
PER_PAGE = 40


@never_cache
@require_safe
def manage(request: Asked) -> HttpResponse:
    """The exhibits one arranges, and what waits to be hung."""
    if not Collection.objects.curated_by(request.user).exists():
        raise PermissionDenied
    context = {
        "exhibits": queries.arranged(request.user),
        "waiting": _waiting(request, queries.to_publish(request.user)),
    }
    return render(request, "exhibit/manage.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: Asked) -> HttpResponse:
    """A new exhibit."""
    if not Collection.objects.curated_by(request.user).exists():
        raise PermissionDenied
    form = ExhibitForm(request.POST or None, user=request.user)
    if form.is_valid():
        made = arranging.create_exhibit(
            collection=form.cleaned_data["collection"],
            slug=form.cleaned_data["slug"],
            headline=form.headline(),
            by=request.user,
            now=timezone.now(),
        )
        messages.success(request, _("The exhibit is made. It is closed until you open it."))
        return redirect("exhibit:edit", made.slug)
    return _form(request, form, _("A new exhibit"), "exhibit:manage")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: Asked, slug: str) -> HttpResponse:
    """One exhibit: its headline, its rooms and all that hangs in them."""
    exhibit = _exhibit(request, slug)
    form = HeadlineForm(request.POST or None, instance=exhibit)
    if form.is_valid():
        told: dict[str, Any] = {"headline": form.headline(), "by": request.user}
        if form.written(partial(arranging.edit_exhibit, exhibit=exhibit, **told)):
            messages.success(request, _("Saved."))
            return redirect("exhibit:edit", slug)
    accepted = queries.to_publish(request.user)
    context = {
        "exhibit": exhibit,
        "form": form,
        "rooms": queries.hall(exhibit),
        "room_form": RoomForm(prefix="room"),
        "waiting": _waiting(request, accepted.filter(photo__collection=exhibit.collection_id)),
        "curated": set(Collection.objects.curated_by(request.user).values_list("pk", flat=True)),
    }
    return render(request, "exhibit/edit.html", context, status=INVALID if form.errors else 200)


@require_POST
def open_doors(request: Asked, slug: str) -> HttpResponse:
    """Let the public in."""
    exhibit = _exhibit(request, slug)
    arranging.open_exhibit(exhibit=exhibit, by=request.user, now=timezone.now())
    messages.success(request, _("The exhibit is open to everybody."))
    return redirect("exhibit:edit", slug)


@require_POST
def close_doors(request: Asked, slug: str) -> HttpResponse:
    """Close the exhibit to the public."""
    exhibit = _exhibit(request, slug)
    arranging.close_exhibit(exhibit=exhibit, by=request.user, now=timezone.now())
    messages.success(request, _("The exhibit is closed; everything stays where it hangs."))
    return redirect("exhibit:edit", slug)


@require_POST
def add_room(request: Asked, slug: str) -> HttpResponse:
    """A new room at the end."""
    exhibit = _exhibit(request, slug)
    form = RoomForm(request.POST, prefix="room")
    if form.is_valid():
        arranging.add_room(exhibit=exhibit, headline=form.headline(), by=request.user)
    else:
        messages.error(request, _("A room needs a title in English."))
    return redirect("exhibit:edit", slug)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def edit_room(request: Asked, pk: int) -> HttpResponse:
    """A room's title and introduction."""
    room = _room(request, pk)
    form = RoomForm(request.POST or None, instance=room)
    if form.is_valid():
        told: dict[str, Any] = {"headline": form.headline(), "by": request.user}
        if form.written(partial(arranging.edit_room, room=room, **told)):
            messages.success(request, _("Saved."))
            return redirect("exhibit:edit", room.exhibit.slug)
    return _form(request, form, _("Room"), "exhibit:edit", room.exhibit.slug)


@require_POST
def move_room(request: Asked, pk: int, way: str) -> HttpResponse:
    """One place up or down."""
    room = _room(request, pk)
    arranging.move_room(room=room, by=request.user, up=way == "up")
    _tell_place(request, room, *queries.place(room.pk, room.exhibit.rooms.all()))
    return redirect(f"{_page(room)}#room-{room.pk}")


@require_POST
def remove_room(request: Asked, pk: int) -> HttpResponse:
    """Take away an empty room."""
    room = _room(request, pk)
    arranging.remove_room(room=room, by=request.user)
    return redirect("exhibit:edit", room.exhibit.slug)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def edit_words(request: Asked, pk: int) -> HttpResponse:
    """Caption, story and room of a picture that hangs."""
    placement = _placement(request, pk)
    exhibit = placement.room.exhibit
    rooms = Room.objects.filter(exhibit=exhibit).select_related("exhibit").order_by("position")
    form = WordsForm(request.POST or None, instance=placement, rooms=rooms)
    if form.is_valid():
        # The form has written on its instance; the verb compares with what is stored.
        told = {"room": form.cleaned_data["room"], "words": form.words(), "by": request.user}
        stored = _placement(request, pk)
        if form.written(partial(arranging.edit_words, placement=stored, **told)):
            messages.success(request, _("Saved."))
            return redirect("exhibit:edit", exhibit.slug)
    return _form(request, form, _("Words beside the picture"), "exhibit:edit", exhibit.slug)


@require_POST
def move_placement(request: Asked, pk: int, way: str) -> HttpResponse:
    """One place up or down in its room."""
    placement = _placement(request, pk)
    arranging.move_placement(placement=placement, by=request.user, up=way == "up")
    _tell_place(
        request, placement.photo, *queries.place(placement.pk, placement.room.placements.all())
    )
    return redirect(f"{_page(placement.room)}#placement-{placement.pk}")


def _waiting(request: Asked, rows: QuerySet[Version]) -> Page[Version]:
    return Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))


def _page(room: Room) -> str:
    return reverse("exhibit:edit", args=[room.exhibit.slug])


def _tell_place(request: Asked, moved: Photo | Room, place: int, count: int) -> None:
    """Say where it is now, for whoever does not see it there."""
    words = _("“{title}” is now {place} of {count}.")
    title = localised(moved, "title", str(moved))
    messages.success(request, format_html(words, title=title, place=place, count=count))


def _exhibit(request: Asked, slug: str) -> Exhibit:
    rows = Exhibit.objects.arranged_by(request.user).select_related("collection")
    return get_object_or_404(rows, slug=slug)


def _room(request: Asked, pk: int) -> Room:
    mine = Exhibit.objects.arranged_by(request.user)
    rows = Room.objects.filter(exhibit__in=mine).select_related("exhibit__collection")
    return get_object_or_404(rows, pk=pk)


def _placement(request: Asked, pk: int) -> Placement:
    mine = Exhibit.objects.arranged_by(request.user)
    rows = Placement.objects.filter(room__exhibit__in=mine)
    return get_object_or_404(rows.select_related("room__exhibit__collection", "photo"), pk=pk)


def _form(request: Asked, form: Any, heading: str, back: str, *args: object) -> HttpResponse:
    context = {"form": form, "heading": heading, "back_url": reverse(back, args=args)}
    return render(request, "exhibit/form.html", context, status=INVALID if form.errors else 200)
