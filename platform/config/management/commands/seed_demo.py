"""`manage.py seed_demo`: make the demonstration museum, once; --photos reads in your own scans."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from archive.models import Collection, Photo
from config.demo import museum, story
from config.demo.pictures import DemoPhoto
from exhibit.models import Room
from restoration.models import Job


class Command(BaseCommand):
    help = "Seed the demonstration museum by really doing the work; a second run changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--photos", type=Path, help="a folder of your own scans")

    def handle(self, *args: Any, **options: Any) -> None:
        cast = museum.people()
        collection = museum.collection(cast)
        room = story.open_room(collection)
        for photo in museum.all_scans():
            self._play(photo, collection, cast, room)
        own = museum.own_scans(cast)
        museum.write_accounts()
        if options["photos"]:
            self._read_in(options["photos"], own)

    def _play(
        self,
        photo: DemoPhoto,
        collection: Collection,
        cast: museum.People,
        room: Room,
    ) -> None:
        marked = f"{photo.words['identifier']} ({photo.licence})"
        known = Photo.objects.filter(collection=collection, identifier=marked).first()
        if known is not None and (photo.stage == "waiting" or _worked_on(known)):
            return
        self.stdout.write(f"  {photo.words['title_en']}: {photo.stage}")
        scan, painted = museum.scan_in(photo, collection, cast)
        story.STAGES[photo.stage](scan, painted, cast, room)

    def _read_in(self, folder: Path, own: Collection) -> None:
        if not folder.is_dir():
            raise CommandError(f"There is no folder {folder}.")
        try:
            call_command("ingest", str(folder), collection=own.slug, by="cora", stdout=self.stdout)
        except CommandError as left:
            # One bad scan of yours must not keep the museum from opening; it is named above.
            self.stderr.write(self.style.WARNING(str(left)))


def _worked_on(photo: Photo) -> bool:
    return Job.objects.filter(photo=photo, kind="restore").exists()
