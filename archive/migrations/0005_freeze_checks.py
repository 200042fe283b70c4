"""A check of stored bytes is written once."""

from django.db import migrations

from archive.triggers import freeze


class Migration(migrations.Migration):
    dependencies = [("archive", "0004_checks_and_alarms")]

    operations = [freeze("archive_fixitycheck")]
