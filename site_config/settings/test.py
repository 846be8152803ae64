"""The test-suite: quick hashing, files in a folder of its own, nothing sent anywhere by itself."""

import hashlib
import os
import tempfile
from pathlib import Path

from site_config import env

env.choose(env.Profile.TEST)

from site_config.settings.base import *  # noqa: E402, F403
from site_config.settings.base import (  # noqa: E402
    BASE_DIR,
    CACHES,
    DATABASES,
    STATIC_ROOT,
    STORAGES,
    VAR_DIR,
)


def _migrations_fingerprint() -> str:
    """A changed migration gets a fresh database, so that reuse can never be stale."""
    digest = hashlib.sha256((BASE_DIR / "requirements.txt").read_bytes())
    for path in sorted(BASE_DIR.glob("*/**/migrations/*.py")):
        if ".venv" not in path.parts:
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


SECRET_KEY = "only-for-tests-" + "x" * 50
DEBUG = False
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
SITE_BASE_URL = "http://testserver"
STRIPE_SECRET_KEY = ""  # nosec B105  # empty: sandboxed
STRIPE_SANDBOX = True
STRIPE_SANDBOX_DELIVERY = "manual"
STRIPE_HURRY_SECONDS = 60  # a slow machine fails no test
STRIPE_WEBHOOK_SECRET = "whsec_test_first"  # noqa: S105  # nosec B105  # opens nothing
STRIPE_WEBHOOK_SECRETS = ["whsec_test_first", "whsec_test_second"]
STRIPE_CURRENCY = "GBP"

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, because live-server tests read it from another thread.
    DATABASES["default"]["TEST"] = {
        "NAME": str(VAR_DIR / f"test-{_migrations_fingerprint()}.sqlite3")
    }
    VAR_DIR.mkdir(parents=True, exist_ok=True)
else:
    DATABASES["default"]["OPTIONS"] = {}
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = False
    DATABASES["default"]["TEST"] = {"NAME": f"test_{_migrations_fingerprint()}"}

CACHES["default"] = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
TASKS = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}}
PAGE_CACHE_BYTES = (
    0  # each page is made: tests look into how; tests of keeping them choose otherwise
)
PAGE_STAMP_SECONDS = 0  # a test looks at once
PIECES_BYTES = 0
CURRENCY_DISPLAY_SECONDS = None  # no clock decides how many queries a request takes
DOWNLOAD_PLACES_RENEWED_SECONDS = 86_400  # no thread looks at a database between two tests
CIRCUIT_FAILURES = 0  # tests of outages count every call; tests of circuits choose otherwise
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

_files = Path(tempfile.gettempdir()) / f"digital-downloads-tests-{os.getpid()}"
MEDIA_ROOT = _files / "media"
PROTECTED_MEDIA_ROOT = _files / "protected"
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
STORAGES["protected"] = {
    "BACKEND": "catalog_pages.storage.ProtectedFileSystemStorage",
    "OPTIONS": {"location": str(PROTECTED_MEDIA_ROOT)},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True  # else each test client lists all files first
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise warns about a root that is not there
