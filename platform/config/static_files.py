"""How static files are named when the site is served for real."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class ManifestStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Hashed names, also inside the import lines of JavaScript modules."""

    support_js_module_import_aggregation = True
