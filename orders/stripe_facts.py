"""What Stripe says, as this shop cares: frozen, typed, in Stripe's integers; and how it can fail.

`stripe_gateway` makes these from the library's objects; nobody else sees those.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


class GatewayError(Exception):
    """Stripe could not do what was asked."""


class GatewayUnavailable(GatewayError):
    """No answer, or one that says "later": the same request may be sent again."""

    is_outage = True  # whoever has more to ask need not ask now


class GatewayUnreadable(GatewayUnavailable):
    """An answer, but no object that makes sense; it says nothing about others."""

    is_outage = False


class GatewayRefused(GatewayError):
    """Stripe understood and declined; `code` and `param` are Stripe's own words."""

    def __init__(self, message: str, *, code: str = "", param: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.param = param


class GatewayNotFound(GatewayRefused):
    """Stripe has no such object."""


class WebhookRejected(Exception):
    """Not a genuine, fresh, readable event; nothing about it is to be believed or stored."""


class CalledInsideTransaction(RuntimeError):
    """A programming error: a lock held over the internet is a queue of stuck shoppers."""


@dataclass(frozen=True)
class SessionLine:
    """What one line of a session came to, in the order in which the lines were sent."""

    amount_subtotal: int
    amount_discount: int
    amount_tax: int
    amount_total: int


@dataclass(frozen=True)
class CheckoutSession:
    """A Checkout Session. In a list, the payment intent is only an id: `intent_status` is "".

    `lines`: all of them, or none where Stripe did not say, as in lists.
    """

    id: str
    url: str
    status: str  # open, complete, expired
    payment_status: str  # paid, unpaid, no_payment_required
    livemode: bool
    currency: str
    amount_subtotal: int
    amount_discount: int
    amount_tax: int
    amount_total: int
    created: datetime
    expires_at: datetime
    metadata: Mapping[str, str]
    payment_intent_id: str | None
    payment_intent_status: str
    charge_id: str | None
    card_brand: str
    card_last4: str
    lines: tuple[SessionLine, ...] = ()
    country: str = ""  # of the billing address: two capital letters, where Stripe knows it

    @property
    def is_paid(self) -> bool:
        return self.payment_status in {"paid", "no_payment_required"} and self.status == "complete"

    @property
    def has_failed(self) -> bool:
        """Completed, then the delayed method said no: there is an intent that wants another method."""
        return (
            self.status == "complete"
            and self.payment_status == "unpaid"
            and self.payment_intent_status in {"requires_payment_method", "canceled"}
        )


@dataclass(frozen=True)
class RefundSnapshot:
    """A refund as it was when it was read. `failure_reason` is "" unless it failed."""

    id: str
    status: str  # pending, requires_action, succeeded, failed, canceled
    amount: int
    currency: str
    payment_intent_id: str | None
    charge_id: str | None
    metadata: Mapping[str, str]
    reason: str
    failure_reason: str
    created: datetime


@dataclass(frozen=True)
class DisputeSnapshot:
    """A dispute or, when its status begins with `warning_`, an inquiry that has taken no money yet."""

    id: str
    status: str
    reason: str
    amount: int
    currency: str
    livemode: bool
    payment_intent_id: str | None
    charge_id: str | None
    created: datetime


@dataclass(frozen=True)
class Event:
    """A genuine event. `payload` is the parsed body; the object in it is a hint, never a fact."""

    id: str
    type: str
    livemode: bool
    api_version: str
    created: datetime
    object_id: str
    payload: dict[str, Any]
