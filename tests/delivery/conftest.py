"""The shop in processes of its own, once for all tests here: by itself, behind nginx, and with S3."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client

from catalog_pages.models import DigitalAsset
from catalog_pages.site_tree import ensure_site_tree
from downloads.links import archive_url, file_url
from downloads.models import UserAsset
from tests import servers
from tests.factories import buy, make_asset, make_product, make_user
from tests.servers import S3Server, Server

CONTENT = random.Random(5).randbytes(5_000_003)
LARGE = random.Random(6).randbytes(32_000_000)  # more than the buffers on its way can hold
FILE_NAME = "Für Elise – 1. Satz.flac"
A_MONTH_S = 30 * 24 * 3600


@dataclass(frozen=True)
class Bought:
    """What a buyer has paid for, and the paths of links to it. `small` has CONTENT, `large` LARGE."""

    small: DigitalAsset
    large: DigitalAsset
    grant: UserAsset
    path: str
    large_path: str
    archive_path: str
    ended_path: str


@dataclass(frozen=True)
class BackEnd:
    """`url`: where people reach the shop. `name`: by which road files come."""

    name: str
    url: str


@pytest.fixture(scope="session")
def var_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("delivery")


@pytest.fixture(scope="package")
def db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """In place of pytest-django's, whose transaction would hide the rows from other processes.

    What is written is committed; afterwards the tables are as empty as before.
    """
    with django_db_blocker.unblock():
        yield
        call_command("flush", verbosity=0, interactive=False)
        ensure_site_tree()


@pytest.fixture(scope="package")
def bought(db: None) -> Bought:
    return _buy_two_files()


def _buy_two_files() -> Bought:
    small, large = make_asset(CONTENT, file_name=FILE_NAME), make_asset(LARGE)
    user = make_user()
    order = buy(Client(), user, make_product("Für Elise", assets=[small, large]))
    grants = UserAsset.objects.filter(order_item__order=order).order_by("position")
    # Held by an address, so that the programs that fetch need no session.
    grants.order_by().update(user=None, email="guest@example.com")
    grant, large_grant = grants
    with mock.patch("django.core.signing.time.time", return_value=time.time() - A_MONTH_S):
        ended = file_url(grant)
    return Bought(
        small, large, grant, file_url(grant), file_url(large_grant), archive_url(grant), ended
    )


@pytest.fixture(scope="package")
def local_shop(bought: Bought, var_dir: Path) -> Iterator[Server]:
    with servers.gunicorn(servers.shop_environment(var_dir / "local")) as server:
        yield server


@pytest.fixture(scope="package")
def nginx_shop(bought: Bought, var_dir: Path) -> Iterator[Server]:
    env = servers.shop_environment(
        var_dir / "behind", PROTECTED_ACCEL_REDIRECT="/protected/", TRUSTED_PROXY="1"
    )
    with (
        servers.gunicorn(env) as behind,
        servers.nginx(var_dir / "nginx", behind.port, settings.PROTECTED_MEDIA_ROOT) as front,
    ):
        yield front


@pytest.fixture(scope="package")
def s3(bought: Bought, var_dir: Path) -> Iterator[S3Server]:
    """An S3 service that holds what was bought."""
    with servers.seaweed(var_dir / "s3") as server:
        for asset, content in ((bought.small, CONTENT), (bought.large, LARGE)):
            server.client().put_object(
                Bucket=server.bucket, Key=asset.file.name, Body=content, ContentType="audio/flac"
            )
        yield server


@pytest.fixture(scope="package")
def s3_shop(s3: S3Server, var_dir: Path) -> Iterator[Server]:
    env = servers.shop_environment(var_dir / "with-s3", **s3.environment)
    with servers.gunicorn(env) as server:
        yield server


@pytest.fixture(scope="package", params=["local", "nginx", "s3"])
def back_end(request: pytest.FixtureRequest, bought: Bought) -> BackEnd:
    return BackEnd(request.param, request.getfixturevalue(f"{request.param}_shop").url)


@pytest.fixture
def link(back_end: BackEnd, bought: Bought) -> str:
    return back_end.url + bought.path
