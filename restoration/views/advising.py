"""What to do about a refusal, for whoever sits before a page; a program is told only what is so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from restoration import failures, wording

RELOAD = _("Reload the page; nothing is lost.")
PAINT = _("Paint a stroke and run again.")
PAINT_HERE = _("Paint it on the page.")
# What a page sends by itself; when it is wrong, the page is older than the site.
OF_THE_PAGE = (
    "unknown-setting",
    "unknown-step",
    "unknown-backend",
    "unknown-field",
    "step-twice",
    "wrong-type",
)
ADVICE: dict[str, failures.Sentence] = {
    **dict.fromkeys(OF_THE_PAGE, RELOAD),
    "mask-not-png": PAINT_HERE,
    "mask-other-shape": PAINT_HERE,
    "bad-sha256": PAINT,
    "unknown-mask": PAINT,
}


def problem(code: str, facts: Mapping[str, Any] | None = None) -> str:
    """Why something was refused or failed, and what to do on this page."""
    said = wording.problem(code, facts)
    return f"{said} {ADVICE[code]}" if code in ADVICE else said
