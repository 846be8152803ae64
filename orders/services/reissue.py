"""Links mailed again to whoever asks with the address that they bought with.

Asking does the same whoever is asked for: it counts, and leaves a task behind. Whether there is
anything to mail is looked up by the worker, where nobody can watch the clock.
"""

from __future__ import annotations

from django_tasks import task

from downloads.holders import normalise_email
from orders.models import OutboxMail
from orders.services.guests import guest_holdings
from orders.services.mail import guest_links_queue
from orders.throttles import throttle_hit

LETTERS_AN_HOUR = 3


def guest_links_ask(*, email: str) -> None:
    """Somebody wants the links of this address. Says nothing about whether there are any."""
    wanted = normalise_email(email)
    if throttle_hit(scope="guest-links", key=wanted, limit=LETTERS_AN_HOUR):
        guest_links_task.enqueue(wanted)


@task()
def guest_links_task(email: str) -> bool:
    return guest_links_mail(email=email) is not None


def guest_links_mail(*, email: str) -> OutboxMail | None:
    """One letter with fresh links to every paid order and redeemed gift of this normalised address
    that no account has; none when there is nothing."""
    held = guest_holdings(emails=[email], only_paid=True)
    if held.orders:
        return guest_links_queue(to_email=held.orders[0].email)
    return guest_links_queue(to_email=held.gifts[0].redeemed_email) if held.gifts else None
