"""The rights statements a collection may choose, by URI (rightsstatements.org and others)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

RIGHTS = (
    ("http://rightsstatements.org/vocab/InC/1.0/", _("In copyright")),
    (
        "http://rightsstatements.org/vocab/InC-EDU/1.0/",
        _("In copyright, educational use permitted"),
    ),
    ("http://rightsstatements.org/vocab/NoC-NC/1.0/", _("No copyright, non-commercial use only")),
    ("http://rightsstatements.org/vocab/NoC-US/1.0/", _("No copyright in the United States")),
    ("http://rightsstatements.org/vocab/NKC/1.0/", _("No known copyright")),
    ("http://rightsstatements.org/vocab/UND/1.0/", _("Copyright undetermined")),
    ("http://rightsstatements.org/vocab/CNE/1.0/", _("Copyright not evaluated")),
    ("http://creativecommons.org/publicdomain/mark/1.0/", _("Public domain")),
    ("http://creativecommons.org/publicdomain/zero/1.0/", _("CC0, no rights reserved")),
    ("http://creativecommons.org/licenses/by/4.0/", _("CC BY 4.0")),
    ("http://creativecommons.org/licenses/by-sa/4.0/", _("CC BY-SA 4.0")),
)
# Whose picture it is, nobody has found out.
UNKNOWN = (
    "http://rightsstatements.org/vocab/UND/1.0/",
    "http://rightsstatements.org/vocab/CNE/1.0/",
)
