"""What lies below a prefix of an S3 bucket, read with the site's own key, where it may be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from archive.sources.source import BLOCK, Found, Unreachable, could_be_a_scan

PATIENCE = {"connect_timeout": 10, "read_timeout": 60, "retries": {"max_attempts": 3}}
GONE = {"NoSuchKey", "404"}


def names(place: str) -> tuple[str, str]:
    """The bucket and the prefix of s3://bucket/prefix. Unreachable where we may not read."""
    parts = urlsplit(place)
    # Our own bucket has other people's scans in it.
    if parts.netloc not in settings.INGEST_BUCKETS or parts.netloc == settings.S3_BUCKET:
        raise Unreachable("bucket-not-allowed", whole=True, bucket=parts.netloc)
    return parts.netloc, unquote(parts.path).lstrip("/")


def client() -> Any:
    """A client of the S3 service of the settings."""
    options = settings.BUCKET_STORAGE["OPTIONS"]
    return boto3.client(
        "s3",
        endpoint_url=options["endpoint_url"],
        aws_access_key_id=options["access_key"],
        aws_secret_access_key=options["secret_key"],
        region_name=options["region_name"],
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": options["addressing_style"]},
            **PATIENCE,
        ),
    )


class Bucket:
    """The objects below a prefix."""

    near = False

    def __init__(self, place: str) -> None:
        self.bucket, self.prefix = names(place)
        self.client = client()

    def find(self, place: str = "") -> Iterator[Found]:
        """The objects by key, a thousand at a time."""
        pages = self.client.get_paginator("list_objects_v2")
        try:
            for page in pages.paginate(Bucket=self.bucket, Prefix=self.prefix):
                yield from self._of_page(page)
        except (ClientError, BotoCoreError) as error:
            raise _refused(error, whole=True) from None

    def _of_page(self, page: dict[str, Any]) -> Iterator[Found]:
        for each in page.get("Contents", ()):
            inside = each["Key"].removeprefix(self.prefix).lstrip("/") or each["Key"]
            if not each["Key"].endswith("/") and could_be_a_scan(inside):
                yield Found(each["Key"], PurePosixPath(inside).name, size=each["Size"])

    def chunks(self, place: str) -> Iterator[bytes]:
        """The bytes of one object."""
        try:
            answer = self.client.get_object(Bucket=self.bucket, Key=place)
            yield from answer["Body"].iter_chunks(BLOCK)
        except (ClientError, BotoCoreError) as error:
            raise _refused(error) from None

    def head(self, place: str) -> bytes | None:
        """The first kilobyte; an empty object has no such range."""
        try:
            answer = self.client.get_object(Bucket=self.bucket, Key=place, Range="bytes=0-1023")
            found: bytes = answer["Body"].read()
        except (ClientError, BotoCoreError) as error:
            if _code(error) == "InvalidRange":
                return b""
            raise _refused(error) from None
        return found


def _code(error: Exception) -> str:
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else ""


def _refused(error: Exception, *, whole: bool = False) -> Unreachable:
    code = _code(error)
    if code in GONE:
        return Unreachable("not-there")
    return Unreachable("bucket-refused", whole=whole, problem=code or type(error).__name__)
