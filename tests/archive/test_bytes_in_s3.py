"""Bytes on a real S3 service: kept by content, private, and shown for minutes at most."""

import urllib.error
import urllib.request
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command

from archive import storage

pytestmark = pytest.mark.usefixtures("bytes_in_s3")
CONTENT = b"the bytes of a scan"
SHA = "c" * 64
# An unsigned request is no S3 request to Swift, so it says 400 where others say 403.
REFUSALS = {400, 401, 403, 404}


def refused(url: str) -> int:
    """The state with which the service refuses the address."""
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(url)
    return caught.value.code


def test_bytes_come_back_as_they_were_put() -> None:
    storage.put_bytes(storage.original_key(SHA), CONTENT)
    assert storage.open_key(storage.original_key(SHA)).read() == CONTENT


def test_the_same_content_twice_is_one_object(tmp_path: Path) -> None:
    file = tmp_path / "scan.tif"
    file.write_bytes(CONTENT)
    for _ in range(2):
        storage.put_file(storage.working_key(SHA), file)
    folder = str(Path(storage.working_key(SHA)).parent)
    assert default_storage.listdir(folder) == ([], [f"{SHA}.tif"])


def test_what_is_not_there_is_said_to_be_missing() -> None:
    with pytest.raises(FileNotFoundError):
        storage.open_key(storage.original_key("d" * 64))


def test_a_stranger_with_the_bare_address_is_refused() -> None:
    storage.put_bytes(storage.original_key(SHA), CONTENT)
    address = default_storage.url(storage.original_key(SHA))
    assert "X-Amz-Expires=600" in address
    assert urllib.request.urlopen(address).read() == CONTENT
    assert refused(address.partition("?")[0]) in REFUSALS


def test_an_address_is_good_for_one_object_only() -> None:
    storage.put_bytes(storage.original_key(SHA), CONTENT)
    storage.put_bytes(storage.original_key("e" * 64), b"another")
    address = default_storage.url(storage.original_key(SHA))
    assert refused(address.replace(SHA, "e" * 64)) in REFUSALS


def test_a_bucket_that_is_there_is_as_good_as_a_new_one() -> None:
    call_command("make_bucket")
