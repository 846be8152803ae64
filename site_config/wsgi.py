"""The WSGI entry point. Gunicorn runs no system checks by itself; ours are asked here.

What is here, only web processes do: their connections are made for pages.
"""

import os

import django
from django.core.checks import Error, run_checks
from django.core.exceptions import ImproperlyConfigured

from site_config.database import web_connections
from site_config.requests import ShopHandler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_config.settings.production")
django.setup(set_prefix=False)

web_connections()
application = ShopHandler()

if errors := [
    problem for problem in run_checks(tags=["site_config"]) if isinstance(problem, Error)
]:
    raise ImproperlyConfigured("\n".join(f"{error.id}: {error.msg}" for error in errors))
