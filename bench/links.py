"""What issuing a link costs: ours and the bucket's, which are arithmetic, and the request with its rows."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from django.db import connection
from django.test import Client, RequestFactory, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import resolve, reverse

from bench.measure import Figure, cpu_seconds, in_turn
from catalog_pages.models import DigitalAsset
from catalog_pages.storage_s3 import ProtectedS3Storage
from downloads.health import health_of
from downloads.links import file_url
from downloads.models import UserAsset
from site_config.accounts.models import User
from tests import servers
from tests.factories import buy, make_asset, make_product, make_user
from tests.servers import S3Server

ROUNDS = 60
CPU_LIMIT_S = 0.003
PURCHASES = (1, 10, 100)  # files that a buyer owns
YARDSTICK = "one row read by its key"


@dataclass(frozen=True)
class Counted:
    """Queries by how many files the buyer owns: one link's request, and the page that links to all."""

    owned: int
    link_queries: int
    page_queries: int


@dataclass(frozen=True)
class Result:
    cpu: dict[str, Figure]
    calls: int
    counted: list[Counted]


def run(where: Path) -> Result:
    buyers = {count: _a_buyer_of(count) for count in PURCHASES}
    with servers.seaweed(where / "s3") as s3, _stored_in(s3) as storage:
        grant = UserAsset.objects.filter(user=buyers[1]).select_related("asset").get()
        assert health_of(storage).is_up()
        with _network_calls() as calls:
            cpu = in_turn(_issues(grant, storage), rounds=ROUNDS)
        counted = [_counted(user, count) for count, user in buyers.items()]
    return Result(cpu, len(calls), counted)


def _issues(grant: UserAsset, storage: ProtectedS3Storage) -> dict[str, Callable[[int], float]]:
    asset = grant.asset

    def presign() -> object:
        return storage.signed_url(
            asset.file.name or "",
            lifetime_s=300,
            content_type=asset.content_type,
            content_disposition='attachment; filename="a.flac"',
        )

    things: dict[str, Callable[[], object]] = {
        YARDSTICK: lambda: UserAsset.objects.get(pk=grant.pk),
        "our link": lambda: file_url(grant),
        "the bucket's address": presign,
        "the request that leads to it": lambda: _redirected(grant),
    }
    return {name: _timed(thing) for name, thing in things.items()}


def _timed(thing: Callable[[], object]) -> Callable[[int], float]:
    return lambda number: cpu_seconds(thing)


def _redirected(grant: UserAsset) -> None:
    """One request through the view: right, counting, ledger, and the address of the bucket."""
    target = file_url(grant)
    request = RequestFactory().get(target)
    request.user = cast("User", grant.user)
    view, arguments, named = resolve(target.partition("?")[0])
    response = view(request, *arguments, **named)
    assert response.status_code == 302, response.content


def _a_buyer_of(count: int) -> Any:
    user = make_user()
    buy(Client(), user, make_product(assets=[make_asset() for _ in range(count)]))
    return user


@contextmanager
def _stored_in(s3: S3Server) -> Iterator[ProtectedS3Storage]:
    """While the block runs, paid files are believed to be in the bucket; none of them is asked for."""
    options = {
        "bucket_name": s3.bucket,
        "region_name": s3.region,
        "access_key": s3.access_key,
        "secret_key": s3.secret_key,
        "endpoint_url": s3.endpoint_url,
    }
    field = DigitalAsset._meta.get_field("file")
    before, field.storage = field.storage, ProtectedS3Storage(**options)
    try:
        with override_settings(DOWNLOAD_LIMIT=0):
            yield field.storage
    finally:
        field.storage = before


@contextmanager
def _network_calls() -> Iterator[list[object]]:
    """Every connection that this thread opens; others of the process may ask how a bucket is."""
    opened: list[object] = []
    mine, connect = threading.get_ident(), socket.socket.connect

    def noted(self: socket.socket, address: Any) -> None:
        if threading.get_ident() == mine:
            opened.append(address)
        connect(self, address)

    socket.socket.connect = noted  # type: ignore[assignment, method-assign]
    try:
        yield opened
    finally:
        socket.socket.connect = connect  # type: ignore[method-assign]


def _counted(user: Any, owned: int) -> Counted:
    grant = UserAsset.objects.filter(user=user).select_related("asset").order_by("position")[0]
    _redirected(grant)  # the first one of a window writes the ledger; every later one does not
    link_queries = _queries(lambda: _redirected(grant))
    client = Client()
    client.force_login(user)
    page = reverse("orders:purchases")
    client.get(page)
    return Counted(owned, link_queries, _queries(lambda: client.get(page)))


def _queries(work: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as captured:
        work()
        return len(connection.queries_log) - captured.initial_queries
