"""Where a curator may take many scans from: a form for each kind of source."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from archive.lifecycle import SourceKind
from archive.sources.opening import folders_of_the_site


class SourceForm(forms.Form):
    """One kind of source, with its name for people."""

    kind: SourceKind
    title: Any = ""
    text: Any = ""

    @property
    def is_offered(self) -> bool:
        """Whether the operator's settings leave anything to choose."""
        return True

    def place(self) -> str:
        """Where it is; nothing when it was sent with the form."""
        return str(self.cleaned_data.get("place", ""))

    def label(self) -> str:
        return self.place()


class WithTable(SourceForm):
    """A source beside which a table of descriptions may be sent."""

    table = forms.FileField(
        label=_("Table of descriptions (CSV)"),
        required=False,
        help_text=_("Columns: filename, sha256, title_en, title_zh, date_edtf, … May be left out."),
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
    )


class ZipForm(WithTable):
    """A ZIP that is sent."""

    kind = SourceKind.ZIP
    title = _("A ZIP file")
    text = _("A file metadata.csv inside it describes the scans.")
    field_order = ("file", "table")

    file = forms.FileField(
        label=_("ZIP file"), widget=forms.FileInput(attrs={"accept": ".zip,application/zip"})
    )

    def label(self) -> str:
        return str(self.cleaned_data["file"].name)


class FolderForm(WithTable):
    """A folder that the operator has put out."""

    kind = SourceKind.FOLDER
    title = _("A folder on the server")
    text = _("Whoever runs the site puts folders there, for instance by a network drive.")
    field_order = ("place", "table")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = folders_of_the_site()
        self.fields["place"] = forms.ChoiceField(
            label=_("Folder"), choices=[(name, name) for name in names]
        )
        self.order_fields(self.field_order)

    @property
    def is_offered(self) -> bool:
        return settings.INGEST_DIR is not None


class BucketForm(WithTable):
    """What lies below a prefix of a bucket."""

    kind = SourceKind.BUCKET
    title = _("An S3 bucket")
    text = _("Everything whose name begins with what you write.")
    field_order = ("place", "table")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        buckets = ", ".join(settings.INGEST_BUCKETS)
        self.fields["place"] = forms.RegexField(
            r"^s3://[^/]+(/.*)?$",
            label=_("Bucket and prefix"),
            max_length=1500,
            help_text=_("For example s3://{bucket}/box-12/. Allowed: {buckets}.").format(
                bucket=settings.INGEST_BUCKETS[0] if settings.INGEST_BUCKETS else "scans",
                buckets=buckets or "–",
            ),
        )
        self.order_fields(self.field_order)

    @property
    def is_offered(self) -> bool:
        return bool(settings.INGEST_BUCKETS)


def _hosts() -> list[str]:
    return [*settings.INGEST_HOSTS, *settings.INGEST_PRIVATE_HOSTS]


class ManifestForm(SourceForm):
    """A IIIF manifest or collection."""

    kind = SourceKind.MANIFEST
    title = _("A IIIF manifest or collection")
    text = _("Of another institution's collection, by its web address; titles come along.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["place"] = forms.URLField(
            label=_("Address"),
            max_length=1500,
            assume_scheme="https",
            help_text=_("Allowed: {hosts}.").format(hosts=", ".join(_hosts()) or "–"),
        )

    def label(self) -> str:
        return unquote(urlsplit(self.place()).path).rstrip("/").rpartition("/")[2] or self.place()

    @property
    def is_offered(self) -> bool:
        return bool(_hosts())


class AddressesForm(SourceForm):
    """A table whose rows have web addresses."""

    kind = SourceKind.TABLE
    title = _("A table of web addresses")
    text = _("One row a file, with its address in the column “url”.")

    table = forms.FileField(
        label=_("Table (CSV)"), widget=forms.FileInput(attrs={"accept": ".csv,text/csv"})
    )

    def label(self) -> str:
        return str(self.cleaned_data["table"].name)

    @property
    def is_offered(self) -> bool:
        return bool(_hosts())


SOURCES: dict[str, type[SourceForm]] = {
    form.kind: form for form in (ZipForm, FolderForm, BucketForm, ManifestForm, AddressesForm)
}
