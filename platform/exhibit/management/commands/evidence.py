"""`manage.py evidence PUBLICATION`: a publication's evidence pack, as a ZIP in a folder."""

from __future__ import annotations

import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from archive import storage
from archive.places import StorageAway
from exhibit import packing
from exhibit.models import Publication


class Command(BaseCommand):
    help = "Make the evidence pack of a publication: a validated bag (BagIt) in a ZIP."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("publication", type=int, help="its number, as in /published/NUMBER/")
        parser.add_argument(
            "--to", type=Path, default=Path(), metavar="FOLDER", help="where it goes (here)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["to"]
        if not folder.is_dir():
            raise CommandError(f"There is no folder {folder}.")
        try:
            with tempfile.TemporaryDirectory(prefix=".part-", dir=folder) as part:
                made = packing.make(options["publication"], Path(part))
                path = made.replace(folder / made.name)
        except Publication.DoesNotExist:
            raise CommandError(f"There is no publication {options['publication']}.") from None
        except (FileNotFoundError, packing.Altered) as error:
            raise CommandError(
                f"A file of it is missing or altered: {error}. `manage.py fixity --restore FROM`"
                " brings it back."
            ) from None
        except StorageAway as error:
            raise CommandError(f"The storage does not answer: {error}") from None
        self.stdout.write(f"{path}: {path.stat().st_size} bytes, sha256 {storage.digest(path)}")
