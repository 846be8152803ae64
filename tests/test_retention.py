"""What the shop forgets about people, and that nobody loses what they bought."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.db.models import Sum
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from downloads.forgotten import DOMAIN, is_forgotten, mark_of
from downloads.models import AccessEvent, Download, UserAsset
from orders.models import DiscountUse, Order, OutboxMail, Payment, StripeEvent
from orders.services.claims import account_close, rights_claim
from orders.services.guests import guest_holdings
from orders.services.mail import mail_send_due
from orders.services.mail.outbox import receipt_queue
from orders.stripe_sandbox.models import (
    SandboxDelivery,
    SandboxEvent,
    SandboxIdempotency,
    SandboxObject,
)
from site_config.retention import AT_ONCE, personal_data_due, personal_data_tidy
from tests.factories import buy, make_product, make_user

pytestmark = pytest.mark.django_db

YEARS = timedelta(days=365)


def an_old_guests_order(
    client: Client, email: str = "Guest@Example.com", *, years: int = 11
) -> Order:
    """A paid one, as a guest's: the account that bought it is taken away again."""
    buyer = make_user()
    order = buy(client, buyer, make_product())
    Order.objects.filter(pk=order.pk).update(
        user=None, placed_as_guest=True, email=email, created_at=timezone.now() - years * YEARS
    )
    UserAsset.objects.filter(order_item__order=order).update(user=None, email=email)
    OutboxMail.objects.filter(order=order).update(to_email=email)
    order.refresh_from_db()
    return order


def everything_said(order: Order) -> str:
    """All that the database still says in rows of this order."""
    rows: list[Any] = [
        *Order.objects.filter(pk=order.pk).values(),
        *UserAsset.objects.filter(order_item__order=order).values(),
        *OutboxMail.objects.filter(order=order).values(),
        *Payment.objects.filter(order=order).values(),
        *StripeEvent.objects.filter(order=order).values(),
        *DiscountUse.objects.filter(order=order).values(),
    ]
    return str(rows).lower()


def test_an_old_guests_address_is_nowhere_in_its_order_any_more(client: Client) -> None:
    order = an_old_guests_order(client)
    mail_send_due()
    money = Payment.objects.aggregate(Sum("amount_pennies"))
    ledger = AccessEvent.objects.count()

    done = personal_data_tidy()

    assert done["purchases"] == 1
    assert "guest@example.com" not in everything_said(order)
    order.refresh_from_db()
    assert order.is_paid
    assert is_forgotten(order.email)
    assert Payment.objects.aggregate(Sum("amount_pennies")) == money
    assert AccessEvent.objects.count() == ledger
    assert personal_data_tidy()["purchases"] == 0


def test_its_owner_still_takes_it_over_and_fetches_it(client: Client) -> None:
    order = an_old_guests_order(client)
    personal_data_tidy()

    owner = make_user("guest@example.com")
    claimed = rights_claim(user=owner)

    assert claimed.paid_orders == 1
    order.refresh_from_db()
    assert order.user == owner
    assert order.email == "guest@example.com"
    client.force_login(owner)
    grant = UserAsset.objects.get(user=owner)
    assert client.get(f"/downloads/{grant.pk}/").status_code == 200


def test_nobody_else_takes_it_over_not_even_with_the_mark_for_an_address(client: Client) -> None:
    order = an_old_guests_order(client)
    personal_data_tidy()
    order.refresh_from_db()

    assert not rights_claim(user=make_user("other@example.com"))
    assert not rights_claim(user=make_user(order.email))
    assert not guest_holdings(emails=[order.email])


def test_an_older_key_still_finds_what_it_marked(client: Client, settings: Any) -> None:
    an_old_guests_order(client)
    personal_data_tidy()

    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another " * 8

    assert guest_holdings(emails=["guest@example.com"])


def test_no_letter_goes_to_an_address_that_is_forgotten(client: Client) -> None:
    order = an_old_guests_order(client)
    mail_send_due()
    personal_data_tidy()
    order.refresh_from_db()
    mail.outbox.clear()
    OutboxMail.objects.filter(order=order).delete()

    receipt_queue(order=order)
    mail_send_due()

    assert mail.outbox == []
    assert OutboxMail.objects.get(order=order).status == OutboxMail.Status.SKIPPED


@pytest.mark.parametrize("what", ["young", "of an account", "of a claimed order", "for ever"])
def test_what_is_not_due_stays(client: Client, settings: Any, what: str) -> None:
    order = an_old_guests_order(client, years=9 if what == "young" else 11)
    if what == "of an account":
        Order.objects.filter(pk=order.pk).update(user=make_user(), placed_as_guest=False)
    if what == "of a claimed order":
        rights_claim(user=make_user("guest@example.com"))
    if what == "for ever":
        settings.RETENTION = settings.RETENTION | {"guest_years": 0}
    before = Order.objects.get(pk=order.pk).email

    personal_data_tidy()

    assert Order.objects.get(pk=order.pk).email == before


def test_a_closed_accounts_old_order_forgets_its_address_and_stays_closed(client: Client) -> None:
    user = make_user("leaver@example.com")
    order = buy(client, user, make_product())
    mail_send_due()
    account_close(user=user)
    Order.objects.filter(pk=order.pk).update(created_at=timezone.now() - 11 * YEARS)

    personal_data_tidy()

    assert "leaver@example.com" not in everything_said(order)
    assert not rights_claim(user=make_user("leaver@example.com"))


def test_texts_of_letters_and_messages_go_after_their_time(client: Client) -> None:
    order = buy(client, make_user("buyer@example.com"), make_product())
    mail_send_due()
    long_ago = timezone.now() - timedelta(days=500)
    OutboxMail.objects.update(created_at=long_ago)
    StripeEvent.objects.update(received_at=long_ago)

    done = personal_data_tidy()

    assert done["letter-texts"] >= 1
    assert done["payment-messages"] >= 1
    assert not OutboxMail.objects.exclude(body_text="").exists()
    assert OutboxMail.objects.filter(order=order, to_email="buyer@example.com").exists()
    row = StripeEvent.objects.filter(order=order)[0]
    assert "buyer@example.com" not in str(row.payload)
    assert row.payload["data"]["object"]["id"] == row.object_id


def test_clients_of_downloads_are_forgotten_and_what_counts_is_not(client: Client) -> None:
    user = make_user()
    buy(client, user, make_product())
    client.force_login(user)
    grant = UserAsset.objects.get(user=user)
    b"".join(client.get(f"/downloads/{grant.pk}/").streaming_content)
    old = timezone.now() - timedelta(days=60)
    Download.objects.update(started_at=old, ends_at=old + timedelta(days=1), open_requests=0)
    counted = Download.objects.filter(counted_at__isnull=False).count()

    assert personal_data_tidy()["download-clients"] == 1

    row = Download.objects.get()
    assert row.client == f"forgotten-{row.pk}"
    assert Download.objects.filter(counted_at__isnull=False).count() == counted
    assert personal_data_tidy()["download-clients"] == 0


def test_a_look_beforehand_counts_and_changes_nothing(client: Client) -> None:
    order = an_old_guests_order(client)
    said = StringIO()

    call_command("tidy_personal_data", "--dry-run", stdout=said)

    assert {chore.name: count for chore, count in personal_data_due()}["purchases"] == 1
    assert "Nothing was changed" in said.getvalue()
    order.refresh_from_db()
    assert order.email == "Guest@Example.com"


def test_one_run_does_no_more_than_it_may(client: Client) -> None:
    for _ in range(3):
        an_old_guests_order(client)

    assert personal_data_tidy(most=2)["purchases"] == 2
    assert personal_data_tidy(most=2)["purchases"] == 1
    assert AT_ONCE < 1000


def test_a_mark_tells_addresses_apart_and_not_how_they_are_written() -> None:
    assert mark_of("A@Example.com") == mark_of(" a@example.com")
    assert mark_of("a@example.com") != mark_of("b@example.com")
    assert mark_of(mark_of("a@example.com")) == mark_of("a@example.com")
    assert mark_of("a@example.com").endswith(DOMAIN)


def test_tasks_and_what_the_sandbox_was_told_go_when_they_are_old(client: Client) -> None:
    buy(client, make_user(), make_product())
    now = timezone.now()
    task = {
        "task_path": "a.task",
        "queue_name": "default",
        "backend_name": "default",
        "priority": 0,
    }
    DBTaskResult.objects.create(
        **task, status="SUCCESSFUL", finished_at=now - timedelta(days=15), args_kwargs={}
    )
    DBTaskResult.objects.create(
        **task, status="SUCCESSFUL", finished_at=now - timedelta(days=13), args_kwargs={}
    )
    DBTaskResult.objects.create(**task, status="READY", args_kwargs={})
    objects = SandboxObject.objects.count()
    waits = SandboxEvent.objects.create(event_id="evt_waits", type="x", created=0, payload="{}")
    SandboxDelivery.objects.create(event=waits, status="pending", next_attempt_at=now)

    done = personal_data_tidy(now=now + timedelta(days=40))

    assert done["sandbox-events"] >= 1
    assert list(SandboxEvent.objects.values_list("event_id", flat=True)) == ["evt_waits"]
    assert SandboxIdempotency.objects.count() == 0
    assert SandboxObject.objects.count() == objects  # refunds are still made of them
    assert DBTaskResult.objects.get().status == "READY"


def test_nothing_young_is_touched(client: Client) -> None:
    buy(client, make_user(), make_product())
    mail_send_due()

    done = personal_data_tidy()

    assert sum(done.values()) == 0
