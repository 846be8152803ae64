"""What letters tell of - `OutboxMail.fact` is the id of it - and the shape of a reason to wait."""

from orders.services.gift_facts import GIFT_LETTER

RECEIPT = "receipt"  # of an order
PROCESSING = "processing"  # of a payment
PAYMENT_FAILED = "payment_failed"  # of a payment
REFUNDED = "refunded"  # of a refund
ACCESS_SUSPENDED = "access_suspended"  # of a dispute, by Stripe's id
ACCESS_RESTORED = "access_restored"  # of a dispute, by Stripe's id, or of a refund
GUEST_LINKS = (
    "guest_links"  # of one wish to have them mailed again; the address is the letter's own
)
NEW_VERSION = "new_version"  # of the first of its files and who holds it

GIFT = GIFT_LETTER  # of a gift copy, by its row's number; to its recipient
GIFT_REDEEMED = "gift_redeemed"  # of a gift copy; to who redeemed it, like the two below
GIFT_TAKEN_BACK = "gift_taken_back"
GIFT_RETURNED = "gift_returned"
# They go to others than the buyer, and tell nothing of the order.
TO_OTHERS = (GIFT, GIFT_REDEEMED, GIFT_TAKEN_BACK, GIFT_RETURNED)


class MailWaits(Exception):
    """A letter cannot be sent now; the message is a sentence for staff, without personal data."""
