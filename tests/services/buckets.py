"""Buckets that live as long as a test."""

import contextlib
import uuid
from collections.abc import Iterator
from typing import Any

import boto3
from botocore.config import Config

from tests.services.swift_server import KEY, REGION, SECRET


def client(endpoint: str) -> Any:
    """Return a client of the test service."""
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
        region_name=REGION,
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )


def keep_bytes_in(told: dict[str, str], settings: Any) -> None:
    """Let this process keep its bytes there, with the options of the product's own settings."""
    from config import settings as written  # late: who makes a bucket may not have chosen them yet

    options = written.BUCKET_STORAGE["OPTIONS"] | {
        "bucket_name": told["REKINDLE_S3_BUCKET"],
        "endpoint_url": told["REKINDLE_S3_ENDPOINT"],
        "access_key": told["REKINDLE_S3_KEY"],
        "secret_key": told["REKINDLE_S3_SECRET"],
    }
    settings.S3_BUCKET = told["REKINDLE_S3_BUCKET"]
    settings.BUCKET_STORAGE = written.BUCKET_STORAGE | {"OPTIONS": options}
    settings.STORAGES = settings.STORAGES | {"default": settings.BUCKET_STORAGE}


@contextlib.contextmanager
def bucket(endpoint: str) -> Iterator[dict[str, str]]:
    """Make a bucket; lend the environment that makes the product use it; remove it."""
    name = f"rekindle-test-{uuid.uuid4().hex[:12]}"
    s3 = client(endpoint)
    s3.create_bucket(Bucket=name)
    try:
        yield {
            "REKINDLE_S3_BUCKET": name,
            "REKINDLE_S3_ENDPOINT": endpoint,
            "REKINDLE_S3_KEY": KEY,
            "REKINDLE_S3_SECRET": SECRET,
            "REKINDLE_S3_REGION": REGION,
        }
    finally:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name):
            for each in page.get("Contents", []):
                s3.delete_object(Bucket=name, Key=each["Key"])
        for part in s3.list_multipart_uploads(Bucket=name).get("Uploads", []):
            s3.abort_multipart_upload(Bucket=name, Key=part["Key"], UploadId=part["UploadId"])
        s3.delete_bucket(Bucket=name)
