"""The stock API (`bench.api_stock`) in the shop's database, behind what `startproject` puts before a view.

And behind allauth's, without which its apps refuse to start: it looks at the path and lets it pass.
"""

from site_config.settings.production import *  # noqa: F403

ROOT_URLCONF = "bench.api_stock"
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
