"""What every installation shares. `dev`, `test` and `production` choose a profile, then import it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bootstrap_wrapper import get_bootstrap_dir

from site_config import env
from site_config.settings.api import *  # noqa: F403
from site_config.settings.loaded import CONFIG
from site_config.settings.observing import *  # noqa: F403
from site_config.settings.sign_in import *  # noqa: F403

BASE_DIR: Path = env.BASE_DIR
VAR_DIR = CONFIG.var_dir

# --- Who we are ---------------------------------------------------------------------------------
SECRET_KEY = CONFIG.secret_key
SECRET_KEY_FALLBACKS = CONFIG.secret_key_fallbacks
DEBUG = CONFIG.debug
ALLOWED_HOSTS = CONFIG.allowed_hosts
SITE_BASE_URL = CONFIG.site_base_url
CSRF_TRUSTED_ORIGINS = CONFIG.csrf_trusted_origins
ROOT_URLCONF = "site_config.urls"
WSGI_APPLICATION = "site_config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "site_config",
    "site_config.accounts",
    "store_api",
    "orders",
    "orders.stripe_sandbox",  # always installed, so that migrations never flap; its URLs are switched
    "downloads",
    "catalog_pages",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.headless",
    "allauth.idp.oidc",
    "wagtail.contrib.forms",
    "wagtail.contrib.redirects",
    "wagtail.contrib.settings",
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail.sites",
    "wagtail",
    "modelcluster",
    "taggit",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "drf_standardized_errors",
    "corsheaders",
    "django_tasks",
    "django_tasks_db",
    "django_htmx",
    "csp",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
]

MIDDLEWARE = [
    "site_config.observing.requests.ObservedRequests",
    "site_config.middleware.HeadMiddleware",
    "site_config.answer_headers.AnswerHeadersMiddleware",
    # Without an allow-list it is not there at all: no answer varies by who asks.
    *(["corsheaders.middleware.CorsMiddleware"] if CONFIG.cors_allowed_origins else []),
    "site_config.api_gate.DeprecationMiddleware",
    "site_config.api_gate.ApiGateMiddleware",
    "site_config.middleware.ProbeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "catalog_pages.money_display.CurrencyDisplayMiddleware",
    "site_config.middleware.RetryAfterMiddleware",
    "site_config.page_cache.PageCacheMiddleware",
    "site_config.search_limit.SearchLimitMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "site_config.middleware.PersonalPagesMiddleware",
    "site_config.middleware.StaffSecondFactorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "site_config.middleware.NextAddressMiddleware",
    "site_config.middleware.PublishRefusedMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "wagtail.contrib.redirects.middleware.RedirectMiddleware",
]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "frontend_templates" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "site_config.context.shop",
            ],
        },
    }
]

# --- Data ---------------------------------------------------------------------------------------
DATABASES: dict[str, dict[str, Any]] = {"default": CONFIG.database}
if CONFIG.database["ENGINE"].endswith("sqlite3"):
    # IMMEDIATE: SQLite has no row locks, so a writer takes the write lock when it begins and two
    # writers queue instead of failing half-way. Measured: persistent connections halve a page.
    DATABASES["default"] |= {
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }
else:
    DATABASES["default"] |= CONFIG.postgres.as_database(threads=CONFIG.web_threads)
# Of web processes alone: `site_config/wsgi.py` asks for it. Migrations and commands may take their time.
DATABASE_STATEMENT_SECONDS = CONFIG.postgres.statement_seconds
DATABASE_PGBOUNCER = CONFIG.postgres.pgbouncer

CACHES: dict[str, dict[str, Any]] = {
    # Limits on sign-in count across processes only with a shared cache: see docs/deployment.md.
    "default": {
        "BACKEND": "site_config.shared_cache.SharedCache",
        "LOCATION": CONFIG.redis_url,
        # Seconds, of each call; a thread waits for one of the connections no longer than that either.
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
    }
    if CONFIG.redis_url
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    # Of each process alone: what is asked for without end here pushes no limit's counter out of there.
    "lists": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "lists",
        "OPTIONS": {"MAX_ENTRIES": 500},
    },
}
PAGE_CACHE_BYTES = 24 * 1024 * 1024  # of public pages, in each process
PAGE_STAMP_SECONDS = 0.1  # so long a page may be shown after a change
PIECES_BYTES = 8 * 1024 * 1024  # of parts that pages have in common, the same
SEARCH_LIMIT = CONFIG.search_limit  # a minute, of one client: site_config/search_limit.py
TASKS: dict[str, dict[str, Any]] = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

# --- Files --------------------------------------------------------------------------------------
STATIC_URL = "/static/"
WHITENOISE_ALLOW_ALL_ORIGINS = False
STATIC_ROOT = CONFIG.static_root
STATICFILES_DIRS = [
    BASE_DIR / "frontend_templates" / "static",
    ("bootstrap", get_bootstrap_dir()),
]
MEDIA_URL = "/media/"
MEDIA_ROOT = CONFIG.media_root
PROTECTED_MEDIA_ROOT = CONFIG.protected_media_root
MAX_UPLOAD_BYTES = CONFIG.max_upload_bytes
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000  # an album's nested editor forms exceed Django's 1,000
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "public": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "protected": CONFIG.storage.as_storage(PROTECTED_MEDIA_ROOT),
    "staticfiles": {"BACKEND": "site_config.static_files.ShopStaticFilesStorage"},
}

# --- Downloads ----------------------------------------------------------------------------------
PROTECTED_ACCEL_REDIRECT = CONFIG.storage.accel_redirect
SIGNED_URL_MAX_SECONDS = CONFIG.signed_url_max_seconds
WEB_THREADS = CONFIG.web_threads
DOWNLOAD_LIMIT = CONFIG.download_limit
DOWNLOAD_WINDOW_HOURS = 24  # requests of one client within it are one download
DOWNLOAD_COUNTED_PERCENT = 50  # an attempt that broke before this much arrived counts for nothing
DOWNLOAD_PLACES_RENEWED_SECONDS = 60  # places of what is being sent are kept for three minutes
DOWNLOAD_LINK_HOURS = 12  # how long a link on a page works without signing in
LISTENING_COPIES = 50  # how often a file may be played from end to end within such a window

# --- Money --------------------------------------------------------------------------------------
STRIPE_PUBLIC_KEY = CONFIG.stripe_public_key
STRIPE_SECRET_KEY = CONFIG.stripe_secret_key
STRIPE_WEBHOOK_SECRETS = CONFIG.stripe_webhook_secrets
STRIPE_WEBHOOK_SECRET = CONFIG.stripe_webhook_secrets[0] if CONFIG.stripe_webhook_secrets else ""
STRIPE_CURRENCY = CONFIG.stripe_currency
STRIPE_SANDBOX = CONFIG.stripe_sandbox
STRIPE_SANDBOX_DELIVERY = "thread"
# A webhook has two seconds for its answer, however many calls it takes: after one second none is begun.
STRIPE_HURRY_SECONDS = 1
# Where SITE_BASE_URL leads nowhere, as in a container.
STRIPE_SANDBOX_DELIVER_TO = CONFIG.sandbox_deliver_to
STRIPE_SANDBOX_API_URL = ""  # in this process; a loopback address to see real HTTP
CHECKOUT_RETURN_URLS = CONFIG.checkout_return_urls  # of apps; compared by orders/return_urls.py
CURRENCY_DISPLAY_SECONDS: float | None = 3  # how long a process may not know of a change
CART_MAX_QUANTITY = CONFIG.cart_max_quantity
RETENTION = CONFIG.retention  # years and days: see docs/privacy.md
GUEST_LINK_DAYS = 30  # how long a mailed link opens what was bought without an account
WEBHOOK_MAX_BYTES = 1_000_000

# --- Mail ---------------------------------------------------------------------------------------
EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend"
    if CONFIG.email["HOST"]
    else "django.core.mail.backends.console.EmailBackend"
)
EMAIL_HOST = CONFIG.email["HOST"] or "localhost"
EMAIL_PORT = CONFIG.email["PORT"]
EMAIL_HOST_USER = CONFIG.email["HOST_USER"]
EMAIL_HOST_PASSWORD = CONFIG.email["HOST_PASSWORD"]
EMAIL_USE_TLS = CONFIG.email["USE_TLS"]
EMAIL_TIMEOUT = 10  # seconds, for each step of the conversation
DEFAULT_FROM_EMAIL = CONFIG.default_from_email
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# --- When something is away (docs/operations.md) -------------------------------------------------
# Failures in a row after which Stripe, the bucket or the cache is not asked for a pause; 0: always ask.
CIRCUIT_FAILURES = 5
CIRCUIT_PAUSE_SECONDS = 10
SHUTDOWN_NOTICE_SECONDS = CONFIG.shutdown_notice_seconds  # of web processes, before they let go
QUEUE_LATE_SECONDS = 300  # a task that waits for longer says that no worker runs

# --- Language and time --------------------------------------------------------------------------
LANGUAGE_CODE = "en-gb"
FORMAT_MODULE_PATH = ["site_config.formats"]
LOCALE_PATHS = [BASE_DIR / "locale"]  # catalogues: docs/translating.md
TIME_ZONE = CONFIG.time_zone
USE_I18N = True
USE_TZ = True

# --- Security -----------------------------------------------------------------------------------
SECURE_SSL_REDIRECT = CONFIG.is_https
SESSION_ENGINE = "site_config.sessions"
SESSION_COOKIE_SECURE = CONFIG.is_https
CSRF_COOKIE_SECURE = CONFIG.is_https
SECURE_HSTS_SECONDS = 31_536_000 if CONFIG.is_https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = CONFIG.is_https
SECURE_HSTS_PRELOAD = CONFIG.is_https
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if CONFIG.trusted_proxy else None
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "SAMEORIGIN"  # Wagtail's preview shows our pages in a frame of our own
SILENCED_SYSTEM_CHECKS = [
    "security.W019",  # X_FRAME_OPTIONS: see above
]
STRIPE_CHECKOUT_ORIGIN = "https://checkout.stripe.com"
_CSP_SHARED = {
    "object-src": ["'none'"],
    "base-uri": ["'none'"],
    "frame-ancestors": ["'self'"],
    # A form that ends in a redirect is checked against form-action at every hop.
    "form-action": ["'self'"] + ([] if STRIPE_SANDBOX else [STRIPE_CHECKOUT_ORIGIN]),
}
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        **_CSP_SHARED,
    }
}
ADMIN_CONTENT_SECURITY_POLICY = {
    "default-src": ["'self'"],
    "script-src": ["'self'", "'unsafe-inline'", "'unsafe-eval'"],
    "style-src": ["'self'", "'unsafe-inline'"],
    "img-src": ["'self'", "data:", "blob:"],
    "media-src": ["'self'", "blob:"],
    "frame-src": ["'self'", "blob:"],
    **_CSP_SHARED,
}

# --- Wagtail ------------------------------------------------------------------------------------
WAGTAIL_SITE_NAME = "Digital Downloads"
WAGTAILADMIN_BASE_URL = SITE_BASE_URL
WAGTAIL_GRAVATAR_PROVIDER_URL = None
WAGTAIL_ENABLE_UPDATE_CHECK = False
WAGTAIL_ENABLE_WHATS_NEW_BANNER = False
WAGTAILIMAGES_IMAGE_MODEL = "catalog_pages.CoverImage"
WAGTAILIMAGES_MAX_UPLOAD_SIZE = 20 * 1024 * 1024
WAGTAILIMAGES_MAX_IMAGE_PIXELS = 64_000_000  # as of covers inside of files: `ingest/covers.py`
WAGTAILIMAGES_IMAGE_FORM_BASE = "catalog_pages.pictures.PictureForm"
WAGTAIL_FRONTEND_LOGIN_URL = "/accounts/login/"
WAGTAIL_PASSWORD_RESET_ENABLED = False
# No language's: a shop sells titles in many, and "The Who" is no pair of stop words.
WAGTAILSEARCH_BACKENDS = {
    "default": {"BACKEND": "wagtail.search.backends.database", "SEARCH_CONFIG": "simple"}
}
WAGTAILADMIN_RICH_TEXT_EDITORS = {"default": {"WIDGET": "catalog_pages.posted.RichTextArea"}}
WAGTAILEMBEDS_FINDERS: list[dict[str, str]] = []  # no request leaves our origin
