"""Production's own, but that no page is kept: each is made, of parts that pages have in common."""

from site_config.settings.production import *  # noqa: F403

PAGE_CACHE_BYTES = 0
