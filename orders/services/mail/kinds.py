"""What letters tell of - `OutboxMail.fact` is the id of it - and the shape of a reason to wait."""

RECEIPT = "receipt"  # of an order
PROCESSING = "processing"  # of a payment
PAYMENT_FAILED = "payment_failed"  # of a payment
REFUNDED = "refunded"  # of a refund
ACCESS_SUSPENDED = "access_suspended"  # of a dispute, by Stripe's id
ACCESS_RESTORED = "access_restored"  # of a dispute, by Stripe's id, or of a refund


class MailWaits(Exception):
    """A letter cannot be sent now; the message is a sentence for staff, without personal data."""
