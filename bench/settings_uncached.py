"""Production's own, but that no page is kept: each request makes its page, in a process that is warm."""

from site_config.settings.production import *  # noqa: F403

PAGE_CACHE_BYTES = 0
