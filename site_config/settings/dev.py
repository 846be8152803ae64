"""One laptop: SQLite, local files, sandboxed payments, mail on the console."""

from site_config import env

env.choose(env.Profile.DEVELOPMENT)

from site_config.settings.base import *  # noqa: E402, F403
from site_config.settings.base import STATIC_ROOT, STORAGES  # noqa: E402

# Static files come straight from their packages: nothing to collect before the first page.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
WHITENOISE_USE_FINDERS = True
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise warns about a root that is not there
