"""The shop on the tests' own database, for a real server in a process of its own.

``SERVED_DATABASE`` is the name of that database: a path on SQLite. No test is in here.
"""

from __future__ import annotations

import os

os.environ["DJANGO_SETTINGS_MODULE"] = "site_config.settings.test"

from django.conf import settings
from django.core.wsgi import get_wsgi_application

settings.DATABASES["default"]["NAME"] = os.environ["SERVED_DATABASE"]
application = get_wsgi_application()
