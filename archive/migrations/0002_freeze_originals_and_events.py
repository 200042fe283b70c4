"""Originals and events are written once."""

from django.db import migrations

from archive.triggers import freeze


class Migration(migrations.Migration):
    dependencies = [("archive", "0001_collections_photos_events")]

    operations = [freeze("archive_original"), freeze("archive_event")]
