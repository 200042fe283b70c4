"""What was published stays as it was published; only its state moves."""

from django.db import migrations

from archive.triggers import freeze

FROZEN = (
    "photo_id",
    "version_id",
    "review_id",
    "version_sha256",
    "original_sha256",
    "working_sha256",
    "published_by_id",
    "published_at",
    "made",
)


class Migration(migrations.Migration):
    dependencies = [("exhibit", "0001_exhibits_publications")]

    operations = [freeze("exhibit_publication", FROZEN)]
