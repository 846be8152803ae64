"""Static files under names that tell their content."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class ShopStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Our modules that import one another name each other's hashes: no browser mixes two releases of them.

    Only ours: Django's search for imports trips over comments in other packages' scripts.
    """

    support_js_module_import_aggregation = True
    _js_module_import_aggregation_patterns = (
        "shop/*.js",
        CompressedManifestStaticFilesStorage._js_module_import_aggregation_patterns[1],
    )
