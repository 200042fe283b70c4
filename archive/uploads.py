"""How much one request may send, judged before anything of it is written to disk."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler

# The plain form sends several files in one request; each is judged again when it is received.
FILES_AT_ONCE = 8
# Whole boxes come as one ZIP to these pages, and to no other.
FOR_BOXES = {"archive:batch-new"}


class BoundedUpload(FileUploadHandler):
    """Stands before Django's own handlers and stops a request that would fill the disk."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, str],  # noqa: N803 - Django's name
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> None:
        match = self.request.resolver_match if self.request else None
        most = settings.MAX_UPLOAD_BYTES * FILES_AT_ONCE
        if match and match.view_name in FOR_BOXES:
            most = max(most, settings.MAX_BATCH_BYTES)
        if content_length > most:
            raise RequestDataTooBig

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None
