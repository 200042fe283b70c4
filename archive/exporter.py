"""`python -m archive.exporter FILE`: writes one of our own TIFFs to stdout as a PNG."""

from __future__ import annotations

import sys

import pyvips

# Quick rather than small: somebody waits for it.
COMPRESSION = 3


def main(path: str) -> None:
    """Convert row by row; the picture is never whole in memory."""
    image = pyvips.Image.new_from_file(path, access="sequential", fail_on="error")
    target = pyvips.Target.new_to_descriptor(sys.stdout.fileno())
    image.write_to_target(target, f".png[compression={COMPRESSION}]")


if __name__ == "__main__":
    main(sys.argv[1])
