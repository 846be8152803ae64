"""The shop as it runs in production, with the test's rows: collected static files, kept pages, gunicorn."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.server_processes import ROOT
from tests.servers import Server, gunicorn, shop_environment

# Of the static files only what the shop's own pages name: both admins bring along a minute of compressing.
LEFT_OUT = (
    "admin", "wagtail*", "drf*", "rest_framework", "orders", "downloads", "catalog_pages", "js", "*.rtl.*",
    "bootstrap.*", "bootstrap-utilities*", "bootstrap-grid.css*", "bootstrap-reboot.css*",
)  # fmt: skip


@contextmanager
def production_shop(
    folder: Path, *, left_out: tuple[str, ...] = LEFT_OUT, **more: str
) -> Iterator[Server]:
    """Payments are sandboxed and it speaks HTTP to this machine alone; all else is as on the internet, and
    as `more` of the environment says."""
    env = shop_environment(
        folder,
        DJANGO_SETTINGS_MODULE="site_config.settings.production",
        STATIC_ROOT=str(folder / "static"),
        DEFAULT_FROM_EMAIL="shop@shop.example",
        **more,
    )
    collect = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity=0"]
    collect += [f"--ignore={pattern}" for pattern in left_out]
    subprocess.run(collect, cwd=ROOT, env=env, check=True, stdin=subprocess.DEVNULL)
    with gunicorn(env) as server:
        yield server
