"""Figures for Prometheus: who may read them, what they count, and that nobody can make more of them."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from prometheus_client.parser import text_string_to_metric_families

from downloads.models import UserAsset
from orders.models import OutboxMail, StripeEvent
from orders.stripe_sandbox import actions
from orders.throttles import throttle_hit
from site_config.observing import gauges, metrics
from tests.factories import buy, make_asset, make_product, make_user, session_id_of, start_checkout
from tests.signing_in import sign_in

pytestmark = pytest.mark.django_db
TOKEN = "a-token-of-more-than-twenty-letters"
AS_PROMETHEUS = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(autouse=True)
def _configured(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN
    for collector in list(metrics._facts._collector_to_names):
        collector.forget()


def scraped(client: Client | None = None) -> dict[tuple[str, ...], float]:
    """Each sample by its name and its labels' values, in the order of the labels' names."""
    answer = (client or Client()).get("/metrics/", headers=AS_PROMETHEUS)
    assert answer.status_code == 200, answer.content
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def gained(before: dict[tuple[str, ...], float], *sample: str) -> float:
    return scraped().get(sample, 0) - before.get(sample, 0)


def test_without_a_token_of_the_shops_there_is_no_such_page(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = ""

    answer = client.get("/metrics/", headers={"Authorization": "Bearer "})

    assert answer.status_code == 404
    assert answer.content == client.get("/metricks/").content


@pytest.mark.parametrize(
    "brought", ["", "Bearer ", "Bearer wrong", TOKEN, f"bearer {TOKEN}", "Bearer é"]
)
def test_only_the_token_opens_it(client: Client, brought: str) -> None:
    answer = client.get("/metrics/", headers={"Authorization": brought})

    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert b"shop_" not in answer.content


def test_it_is_kept_by_nobody_and_sets_nothing(client: Client) -> None:
    answer = client.get("/metrics/", headers={**AS_PROMETHEUS, "Host": "10.0.0.7:8000"})

    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert not answer.cookies
    assert answer["Content-Type"].startswith("text/plain; version=")
    assert client.post("/metrics/", headers=AS_PROMETHEUS).status_code == 405


def test_requests_are_counted_by_route_method_and_class_of_status(client: Client) -> None:
    before = scraped()

    client.get("/cart/")
    client.post("/cart/")
    client.get("/orders/")

    assert gained(before, "shop_requests_total", "GET", "orders:cart", "2xx") == 1
    assert gained(before, "shop_requests_total", "POST", "orders:cart", "4xx") == 1
    assert gained(before, "shop_requests_total", "GET", "orders:list", "3xx") == 1
    assert gained(before, "shop_request_seconds_count", "orders:cart") == 2


def test_a_crawl_of_made_up_addresses_makes_no_series(client: Client) -> None:
    def crawl(word: str) -> None:
        for number in range(20):
            client.get(f"/{word}{number}/")
            client.get(f"/catalog/{word}{number}/")
            client.get(f"/orders/link/{word}{number}/")
            client.get(f"/api/v1/{word}{number}/")
            client.generic(f"{word}{number}".upper(), "/")

    crawl("a")
    before = scraped()
    crawl("b")

    assert scraped().keys() == before.keys()


def test_downloads_are_counted_with_their_bytes(client: Client) -> None:
    user = make_user()
    buy(client, user, make_product(assets=[make_asset(b"x" * 300_000)]))
    client.force_login(user)
    address = reverse("downloads:file", args=[UserAsset.objects.get().pk])
    before = scraped()

    whole: Any = client.get(address)
    b"".join(whole.streaming_content)
    part: Any = client.get(address, headers={"Range": "bytes=0-99999"})
    b"".join(part.streaming_content)
    broken: Any = client.get(address)
    next(iter(broken.streaming_content))
    broken.close()

    assert gained(before, "shop_downloads_started_total", "shop") == 3
    assert gained(before, "shop_downloads_finished_total", "whole") == 2
    assert gained(before, "shop_downloads_finished_total", "broken") == 1
    assert 400_000 < gained(before, "shop_download_bytes_total", "shop") < 700_000


def test_what_nginx_sends_is_counted_as_asked_for(client: Client, settings: Any) -> None:
    settings.PROTECTED_ACCEL_REDIRECT = "/protected/"
    user = make_user()
    buy(client, user, make_product(assets=[make_asset(b"x" * 300_000)]))
    client.force_login(user)
    before = scraped()

    client.get(reverse("downloads:file", args=[UserAsset.objects.get().pk]))

    assert gained(before, "shop_downloads_started_total", "nginx") == 1
    assert gained(before, "shop_download_bytes_total", "nginx") == 300_000


def test_refusals_are_counted_by_their_reason(client: Client, settings: Any) -> None:
    settings.DOWNLOAD_LIMIT = 1
    user = make_user()
    buy(client, user, make_product())
    client.force_login(user)
    address = reverse("downloads:file", args=[UserAsset.objects.get().pk])
    before = scraped()

    first: Any = client.get(address, headers={"User-Agent": "one"})
    b"".join(first.streaming_content)
    assert client.get(address, headers={"User-Agent": "two"}).status_code == 403
    assert [throttle_hit(scope="of-the-test", key="x", limit=1) for _ in range(2)] == [True, False]
    Client(enforce_csrf_checks=True).post("/cart/update/")
    Client().post("/cart/add/", {"product": 1}, headers={"Sec-Fetch-Site": "cross-site"})
    for _ in range(12):
        sign_in(Client(), user.email, "wrong")

    assert gained(before, "shop_refusals_total", "limit_reached") == 1
    assert gained(before, "shop_refusals_total", "limit_of-the-test") == 1
    assert gained(before, "shop_refusals_total", "csrf_failed") == 1
    assert gained(before, "shop_refusals_total", "other_origin") == 1
    assert gained(before, "shop_refusals_total", "limit_sign_in") >= 1


def test_what_waits_is_told_with_its_age(client: Client) -> None:
    user, now = make_user(), timezone.now()
    order = start_checkout(user, make_product()).order
    actions.pay(session_id_of(order))
    event = {"livemode": False, "payload": {}, "created_at": now - timedelta(minutes=5)}
    StripeEvent.objects.create(event_id="evt_waits", type="x", **event)
    StripeEvent.objects.create(
        event_id="evt_done", type="x", status="handled", handled_at=now, **event
    )
    letter = OutboxMail.objects.create(
        dedupe_key="receipt:1:0", kind="receipt", fact="1", to_email=user.email, message_id="<1@x>"
    )
    OutboxMail.objects.filter(pk=letter.pk).update(created_at=now - timedelta(hours=1))
    for status, moment in (("READY", None), ("FAILED", now), ("FAILED", now - timedelta(days=2))):
        DBTaskResult.objects.create(
            status=status, args_kwargs={}, task_path="x", backend_name="default", run_after=now,
            finished_at=moment, exception_class_path="", traceback="",
        )  # fmt: skip

    found = scraped()

    assert found["shop_webhook_unprocessed",] == 1
    assert 299 < found["shop_webhook_lag_seconds", "worst"] < 400
    assert found["shop_outbox_depth",] == 1
    assert 3599 < found["shop_outbox_oldest_seconds",] < 3700
    assert (found["shop_tasks_depth",], found["shop_tasks_failed",]) == (1, 1)
    assert found["shop_database_up",] == 1
    assert found["shop_database_bytes",] > 100_000
    assert found["shop_disk_free_bytes", "data"] > 0


def test_the_database_is_asked_ten_times_at_most_and_once_for_many_readers() -> None:
    with CaptureQueriesContext(connection) as first:
        scraped()
    with CaptureQueriesContext(connection) as second:
        scraped()

    assert len(first) <= 12
    assert len(second) == 0


def test_a_database_that_is_away_is_a_figure_and_no_fault(client: Client) -> None:
    def away(*args: Any) -> Any:
        from django.db import OperationalError

        raise OperationalError("gone")

    with connection.execute_wrapper(away):
        found = scraped()

    assert found["shop_database_up",] == 0
    assert ("shop_outbox_depth",) not in found


def test_no_figure_reads_a_large_table_from_end_to_end() -> None:
    explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
    with CaptureQueriesContext(connection) as asked:
        list(gauges.of_the_database())
    plans = {}
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # of an empty table it reads all, whatever there is
            cursor.execute("SET LOCAL enable_seqscan = off")
        for query in [query["sql"] for query in asked if " FROM " in query["sql"]]:
            cursor.execute(f"{explain} {query}")
            plans[query] = "\n".join(str(row[-1]) for row in cursor.fetchall())

    assert len(plans) >= 9
    for query, plan in plans.items():
        # Contradictions are few: their table stays small.
        scanned = set(re.findall(r"(?:Seq Scan on|SCAN) (\w+)(?!.* USING)", plan))
        few = {"orders_orderanomaly", "pragma_page_count", "pragma_page_size", "subquery"}
        assert scanned <= few, f"{query}\n{plan}"
        assert "_pkey" not in plan, (
            f"{query}\n{plan}"
        )  # that would be all rows, one after the other


def test_several_web_processes_without_a_shared_folder_are_warned_of(settings: Any) -> None:
    from dataclasses import replace

    settings.CONFIG = replace(settings.CONFIG, metrics_token=TOKEN, web_processes=3)
    assert "site_config.W003" in {found.id for found in run_checks(tags=["site_config"])}

    settings.CONFIG = replace(settings.CONFIG, metrics_folder=str(Path.cwd()))
    assert "site_config.W003" not in {found.id for found in run_checks(tags=["site_config"])}


def test_threads_that_scrape_together_ask_once() -> None:
    facts = gauges.Facts()
    asked: list[int] = []

    def ask() -> list[gauges.Figure]:
        asked.append(1)
        return []

    own, gauges._asked = gauges._asked, ask
    try:
        threads = [threading.Thread(target=lambda: list(facts.collect())) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        gauges._asked = own

    assert len(asked) == 1
