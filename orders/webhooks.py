"""Where Stripe posts: verify, record, handle, answer. https://docs.stripe.com/webhooks"""

from __future__ import annotations

import logging

from django.conf import settings
from django.db import Error as DatabaseProblem
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from orders.locks import waiting_briefly
from orders.services.events import event_handle, event_record
from orders.stripe_facts import WebhookRejected
from orders.stripe_gateway import in_a_hurry, parse_webhook

logger = logging.getLogger(__name__)


@csrf_exempt  # the signature over the body is the proof of origin
@require_POST
def stripe_webhook(request: HttpRequest) -> HttpResponse:
    """200: settled. 400: not genuine, nothing stored. 413: too large. 503: ours, please send again.

    The answer comes within two seconds or so: who waits longer for Stripe or for a lock gives up here,
    and the inbox keeps the event for the worker.
    """
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        logger.warning("Webhook refused: its length is no number")
        return _answer("Not a genuine event.", 400)
    if len(length) > 9 or int(length) > settings.WEBHOOK_MAX_BYTES:
        logger.warning("Webhook refused: body of %s bytes", length[:40])
        return _answer("The body is too large.", 413)
    try:
        event = parse_webhook(request.body, request.headers.get("Stripe-Signature"))
    except WebhookRejected as error:
        logger.warning("Webhook refused: %s", error)
        return _answer("Not a genuine event.", 400)
    try:
        with in_a_hurry(), waiting_briefly():
            is_settled = event_handle(event_record(event))
    except DatabaseProblem as error:
        logger.warning("Webhook %s could not be recorded: %s", event.id, type(error).__name__)
        is_settled = False
    if is_settled:
        return _answer("Received.", 200)
    return _answer("Not handled yet; send it again.", 503)


def _answer(sentence: str, status: int) -> HttpResponse:
    response = HttpResponse(
        f"{sentence}\n", status=status, content_type="text/plain; charset=utf-8"
    )
    # The line above says why; Django's own would repeat that something was refused.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response
