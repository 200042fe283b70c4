"""What may come in as a painted mask, and who may name it. Only its header is read: pixels are a
worker's business."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from archive.models import Photo
from restoration.engine.errors import BadInput
from restoration.models import Assessment, Sheet

if TYPE_CHECKING:
    from accounts.models import User

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER = struct.Struct(">I4sIIBBBBB")
MOST_BYTES = 12 * 1024**2
# The bench paints at most this long; a mask may also have the photo's own size.
PAINTED_SIDE = 4096
BITS = 8


def check_mask(content: bytes, photo: Photo) -> None:
    """A PNG of 8 bits, of a bearable size and the photo's shape, or BadInput `mask-not-png`,
    `mask-file-too-large`, `mask-other-shape`."""
    if len(content) > MOST_BYTES:
        raise BadInput("mask-file-too-large", {"bytes": len(content)})
    width, height = _size(content)
    longest = max(PAINTED_SIDE, photo.width, photo.height)
    if not (0 < width <= longest and 0 < height <= longest):
        raise BadInput("mask-file-too-large", {"width": width, "height": height})
    if not is_same_shape((width, height), (photo.width, photo.height)):
        sizes = {"got": [width, height], "expected": [photo.width, photo.height]}
        raise BadInput("mask-other-shape", sizes)


def is_same_shape(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether one is the other made smaller, each side within a pixel of the smaller one.

    A bench paints on a smaller copy, and a copy's sides are whole pixels.
    """
    (width, height), (wide, high) = sorted((one, other))
    return abs(width * high - height * wide) <= wide + high


def is_at_hand(photo: Photo, user: User, sha256: str) -> bool:
    """Whether it is the damage that was found on this photo, or what this person painted for it."""
    return (
        Sheet.objects.filter(photo=photo, kept_by=user, sha256=sha256).exists()
        or Assessment.objects.filter(photo=photo, mask_sha256=sha256).exists()
    )


def require_at_hand(photo: Photo, user: User, sha256: str | None) -> None:
    """BadInput `unknown-mask` for one that was painted by somebody else, elsewhere or never."""
    if sha256 and not is_at_hand(photo, user, sha256):
        raise BadInput("unknown-mask", {"mask_sha256": sha256})


def _size(content: bytes) -> tuple[int, int]:
    head = content[len(SIGNATURE) : len(SIGNATURE) + HEADER.size]
    if not content.startswith(SIGNATURE) or len(head) < HEADER.size:
        raise BadInput("mask-not-png", {})
    length, kind, width, height, bits, _colour, compression, filtering, _interlace = HEADER.unpack(
        head
    )
    if (length, kind, bits, compression, filtering) != (13, b"IHDR", BITS, 0, 0):
        raise BadInput("mask-not-png", {"bits": bits})
    return width, height
