"""Somebody of staff has a bookkeeper's program told of sales, and looks after it."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from orders.models import WebhookDelivery, WebhookEndpoint
from orders.services.outgoing.sealing import unseal
from orders.tests.hooks import answer, make_delivery, receiver
from tests.e2e.conftest import DESKTOP, ContextMaker
from tests.e2e.test_discount_codes import shot, sign_in
from tests.factories import make_editor

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_an_endpoint_is_made_fails_and_is_sent_to_again(
    new_context: ContextMaker, settings: Any
) -> None:
    page = sign_in(new_context(size=DESKTOP), make_editor())
    with receiver(answer(500, b"The books are closed")) as here:
        page.goto("/admin/webhooks/endpoints/new/")
        page.locator("#id_url").fill(here.url)
        page.locator("#id_description").fill("Bookkeeping")
        page.get_by_label("An order was paid").check()
        shot(page, "webhook-new")
        page.locator("main form button[type=submit]").first.click()

        expect(page.locator("main")).to_contain_text("shown this once")
        endpoint = WebhookEndpoint.objects.get()
        expect(page.locator("main pre")).to_have_text(unseal(endpoint.sealed_secret))
        shot(page, "webhook-secret")
        delivery = make_delivery(endpoint)
        WebhookDelivery.objects.update(status="given_up", next_attempt_at=None)
        page.get_by_role("link", name="I have copied it").click()
        expect(page.get_by_text("Newest deliveries")).to_be_visible()
        page.get_by_role("button", name="Send again").click()
        expect(page.locator("main")).to_contain_text("The books are closed")
        shot(page, "webhook-endpoint")

        here.reply = answer(200)
        page.get_by_role("button", name="Send again").click()
        expect(page.locator("main")).to_contain_text("Delivered")
        page.get_by_role("link", name="order.paid").first.click()
        expect(page.locator("main")).to_contain_text(delivery.event.webhook_id)
        shot(page, "webhook-delivery")
        page.goto("/admin/webhooks/endpoints/")
        shot(page, "webhook-endpoints")
        expect(page.locator("main")).to_contain_text("In use")

    assert len(here.received) == 2
