"""How static files are found and named when the site is served for real."""

from django.contrib.staticfiles.apps import StaticFilesConfig
from whitenoise.storage import CompressedManifestStaticFilesStorage

# Scripts that stand on a library: static/js/NAME is bundled into static/dist/NAME.
# platform/config/bundle.mjs has the same list.
BUNDLES = ("zoom.js", "tus.js")


class BundledStaticFiles(StaticFilesConfig):
    """Leaves out the sources of the bundles: a browser cannot follow their imports."""

    ignore_patterns = [*StaticFilesConfig.ignore_patterns, *(f"js/{name}" for name in BUNDLES)]


class ManifestStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Hashed names, also inside the import lines of our JavaScript modules.

    Of ours alone: Django reads comments as code, and a library's comment may import anything.
    Each import line ends with a semicolon, or it is not found.
    """

    support_js_module_import_aggregation = True
    _js_module_import_aggregation_patterns = (
        "js/*.js",
        CompressedManifestStaticFilesStorage._js_module_import_aggregation_patterns[1],
    )

    def stored_name(self, name: str) -> str:
        """Return the hashed name; a bundle that was not built keeps its own and is not found.

        Its page works without it, so it is no reason to fail the page.
        """
        if name.startswith("dist/") and self.hash_key(name) not in self.hashed_files:
            return name
        return str(super().stored_name(name))
