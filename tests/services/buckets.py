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
        s3.delete_bucket(Bucket=name)
