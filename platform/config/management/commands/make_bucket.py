"""Make the bucket of this site if it is not there yet."""

from typing import Any

from botocore.exceptions import ClientError
from django.conf import settings
from django.core.files.storage import default_storage
from django.core.management.base import BaseCommand, CommandError

OURS = {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}


class Command(BaseCommand):
    """`manage.py make_bucket`: private, as every new bucket is."""

    help = "Make the bucket named by REKINDLE_S3_BUCKET if it is not there yet."

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask the service for it; that it exists already is as good."""
        if not settings.S3_BUCKET:
            raise CommandError("No bucket is named: set REKINDLE_S3_BUCKET.")
        client = default_storage.connection.meta.client  # type: ignore[attr-defined]
        try:
            client.create_bucket(Bucket=settings.S3_BUCKET)
        except ClientError as error:
            if error.response["Error"]["Code"] not in OURS:
                raise CommandError(f"The bucket was not made: {error}") from error
