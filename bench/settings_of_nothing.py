"""Production's own, but that nothing of a page is kept: neither the page nor a part of it."""

from site_config.settings.production import *  # noqa: F403

PAGE_CACHE_BYTES = 0
PIECES_BYTES = 0
