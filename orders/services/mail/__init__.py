"""Mail by the outbox: a row with the fact it tells, sent by the worker until a server takes it.

    outbox      what is written down, in the transaction of its fact; sending again
    overtaken   which letters events have made pointless
    facts       what is true of an order at this moment
    letters     the words for it
    server      the connection
    sending     one attempt, many attempts, and what becomes of the row

The words are found when a letter is sent, never when it is queued: no letter can stand in the way of
what it tells, and none tells what is true no longer.
"""

from orders.services.mail.kinds import (
    ACCESS_RESTORED,
    ACCESS_SUSPENDED,
    PAYMENT_FAILED,
    PROCESSING,
    RECEIPT,
    REFUNDED,
)
from orders.services.mail.outbox import (
    access_restored_queue,
    access_suspended_queue,
    guest_links_queue,
    mail_queue,
    mail_send_again,
    payment_failed_queue,
    processing_queue,
    receipt_queue,
    receipt_send_again,
    refunded_queue,
)
from orders.services.mail.sending import (
    LEASE,
    MAX_ATTEMPTS,
    mail_send,
    mail_send_due,
    mail_send_task,
)

__all__ = [
    "ACCESS_RESTORED",
    "ACCESS_SUSPENDED",
    "LEASE",
    "MAX_ATTEMPTS",
    "PAYMENT_FAILED",
    "PROCESSING",
    "RECEIPT",
    "REFUNDED",
    "access_restored_queue",
    "access_suspended_queue",
    "guest_links_queue",
    "mail_queue",
    "mail_send",
    "mail_send_again",
    "mail_send_due",
    "mail_send_task",
    "payment_failed_queue",
    "processing_queue",
    "receipt_queue",
    "receipt_send_again",
    "refunded_queue",
]
