"""`manage.py fingerprints`: compares scans that were read by an earlier version."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from archive import likeness
from archive.models import Photo
from archive.pairing import note_fingerprint


class Command(BaseCommand):
    help = "Compare how scans look that were taken in by an earlier version; stopped, it goes on."

    def handle(self, *args: Any, **options: Any) -> None:
        done = found = 0
        without = Photo.objects.filter(fingerprint=None).exclude(working_sha256="")
        for photo in without.order_by("pk").iterator(500):
            try:
                fingerprint = likeness.fingerprint(photo.working_sha256)
            except FileNotFoundError:
                self.stderr.write(f"{photo.ref}: its smallest picture is not there.")
                continue
            if fingerprint is not None:
                pairs = note_fingerprint(photo=photo, fingerprint=fingerprint, now=timezone.now())
                done, found = done + 1, found + len(pairs)
        self.stdout.write(f"{done} looked at, {found} pairs look alike")
