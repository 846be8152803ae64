"""How long orders, letters and messages keep what they say about people.

    purchases   addresses of guests and of closed accounts, what they wrote to friends
    letters     texts of letters, and addresses of those that belong to no order
    messages    what Stripe wrote about a buyer

Amounts, times, Stripe's ids, what was bought, rights and the ledger stay. Each has two functions: which rows
are due, as a query set that counts and lists, and what is done to some of them, also twice.
"""

from orders.services.retention.letters import (
    letter_texts_due,
    letter_texts_forget,
    loose_letters_due,
    loose_letters_forget,
)
from orders.services.retention.messages import messages_due, messages_reduce
from orders.services.retention.purchases import purchases_due, purchases_forget, unpaid_due

__all__ = [
    "letter_texts_due",
    "letter_texts_forget",
    "loose_letters_due",
    "loose_letters_forget",
    "messages_due",
    "messages_reduce",
    "purchases_due",
    "purchases_forget",
    "unpaid_due",
]
