"""A version's pixels and lineage are written once; only its state and notes move."""

from django.db import migrations

from archive.triggers import freeze

FROZEN = (
    "photo_id",
    "number",
    "parent_id",
    "kind",
    "made_by_id",
    "made_at",
    "sha256",
    "width",
    "height",
    "frame",
    "records",
    "meters",
    "maps",
)


class Migration(migrations.Migration):
    dependencies = [("restoration", "0001_claims_jobs_versions_reviews")]

    operations = [freeze("restoration_version", FROZEN)]
