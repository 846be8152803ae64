"""A shop with one buyer, under gunicorn and behind nginx, and a bare nginx beside them to compare with."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.test import Client

from catalog_pages.models import DigitalAsset
from downloads.models import UserAsset
from tests import servers
from tests.factories import buy, make_product, make_user
from tests.servers import Server

MB = 1_000_000
BARE_NGINX = """{user}
worker_processes 2;
pid {folder}/pid;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    sendfile   on;
    tcp_nopush on;
    server {{
        listen 127.0.0.1:{port};
        root {root};
    }}
}}
"""


def a_purchase(assets: Sequence[DigitalAsset]) -> list[UserAsset]:
    """The grants of a paid order for one product with these files, held by an address: who fetches
    needs no session."""
    order = buy(Client(), make_user(), make_product(assets=list(assets)))
    grants = UserAsset.objects.filter(order_item__order=order)
    grants.update(user=None, email="guest@example.com")
    return list(grants.select_related("asset").order_by("position"))


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="digital-downloads-delivery-") as path:
        yield Path(path)


@contextmanager
def bare_nginx(where: Path, root: Path) -> Iterator[Server]:
    """nginx that does nothing but sendfile() from one folder: what anybody would compare with."""
    where.mkdir()
    user = "user root;" if os.geteuid() == 0 else ""
    with servers.nginx_with(
        where, lambda port: BARE_NGINX.format(user=user, folder=where, port=port, root=root)
    ) as server:
        yield server


@dataclass(frozen=True)
class Street:
    """`alone`: gunicorn that sends every byte itself. `behind`: another one, behind `front`."""

    alone: Server
    behind: Server
    front: Server
    bare: Server


@contextmanager
def a_street(where: Path, *, threads: int = 16) -> Iterator[Street]:
    """All of them at once, so that each can be measured in turn with the others."""
    protected = Path(settings.PROTECTED_MEDIA_ROOT)
    common = {"DOWNLOAD_LIMIT": "0"}
    with ExitStack() as stack:
        alone = servers.gunicorn(
            servers.shop_environment(where / "alone", **common), threads=threads
        )
        accel = {"PROTECTED_ACCEL_REDIRECT": "/protected/", "TRUSTED_PROXY": "1", **common}
        behind = servers.gunicorn(
            servers.shop_environment(where / "behind", **accel), threads=threads
        )
        first, second = stack.enter_context(alone), stack.enter_context(behind)
        front = stack.enter_context(servers.nginx(where / "front", second.port, protected))
        bare = stack.enter_context(bare_nginx(where / "bare", protected))
        yield Street(first, second, front, bare)
