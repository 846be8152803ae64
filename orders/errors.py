"""What this room refuses, and what it says."""

from __future__ import annotations

from datetime import date

from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from catalog_pages.errors import DomainError


class QuantityInvalid(DomainError):
    code = "quantity_invalid"
    status = 400
    field = "quantity"

    def __init__(self, maximum: int) -> None:
        super().__init__(
            gettext("Quantity must be between 1 and {maximum}.").format(maximum=maximum)
            if maximum > 1
            else gettext("Quantity must be 1.")
        )


class ProductNotForSale(DomainError):
    code = "product_not_for_sale"
    status = 404
    field = "product"
    message = _("This product is not for sale.")


class ProductNotOutYet(ProductNotForSale):
    """Published and priced, and its day lies ahead."""

    def __init__(self, day: date) -> None:
        words = gettext("This comes out on {day}. It can be bought from then on.")
        super().__init__(words.format(day=date_format(day)))


class CartItemNotFound(DomainError):
    code = "cart_item_not_found"
    status = 404
    message = _("This is no longer in your cart.")


class CartUnknown(DomainError):
    code = "cart_unknown"
    status = 404
    message = _("There is no cart with this secret, or not any more. Make a new one.")


class CartFull(DomainError):
    code = "cart_full"
    message = _(
        "A cart holds up to 100 different products. Check out first, then come back for more."
    )


class PriceBelowMinimum(DomainError):
    code = "price_below_minimum"
    status = 400
    field = "price_pennies"

    def __init__(self, minimum: str) -> None:
        super().__init__(
            gettext("The least for this is {minimum}. Choose that or more.").format(minimum=minimum)
        )


class PriceNotYours(DomainError):
    code = "price_not_yours_to_choose"
    status = 400
    field = "price_pennies"
    message = _("The price of this product is fixed.")


class PriceInvalid(DomainError):
    code = "price_invalid"
    status = 400
    field = "price_pennies"
    message = _("Enter a price such as 4.99.")


class GiftInvalid(DomainError):
    code = "gift_invalid"
    status = 400
    message = _("Look at the gift's address and date again.")

    def __init__(self, message: str = "", *, field: str = "") -> None:
        self.field = field
        super().__init__(message)


class GiftUnknown(DomainError):
    code = "gift_unknown"
    status = 404
    field = "code"
    message = _("We do not know this gift code. Look at its letters and figures again.")


class GiftTriesTooMany(DomainError):
    code = "gift_tries_too_many"
    status = 429
    message = _("Too many codes that we do not know were tried from here. Try again in an hour.")


class GiftClosed(DomainError):
    code = "gift_closed"
    status = 410
    message = _("This gift was taken back.")


class GiftRedeemed(DomainError):
    code = "gift_redeemed"
    status = 410
    message = _("This gift has been redeemed already.")


class GiftOwned(DomainError):
    code = "gift_owned"

    def __init__(self, title: str) -> None:
        super().__init__(
            gettext(
                "You own “{title}” already, so this gift is still unused. Pass it on to "
                "somebody else."
            ).format(title=title)
        )


class GiftSentOften(DomainError):
    code = "gift_sent_often"
    status = 429
    retry_after_s = 86_400
    message = _(
        "This gift was sent several times today. Try again tomorrow, or pass its link on yourself."
    )


class DiscountUnknown(DomainError):
    code = "discount_unknown"
    status = 404
    field = "code"
    message = _("We do not know this code. Look at its spelling.")


class DiscountNotUsable(DomainError):
    code = "discount_not_usable"
    message = _("This code cannot be used for this order.")


class TooManyCodes(DomainError):
    code = "too_many_codes"
    status = 429
    message = _("Too many codes that we do not know were tried from here. Try again in an hour.")


class AlreadyOwned(DomainError):
    code = "already_owned"
    message = _("You own this already. Its files are in your purchases.")


class ProductNotFree(DomainError):
    code = "product_not_free"
    message = _("This product has a price. Add it to your cart.")


class GiftLettersArePaid(DomainError):
    code = "gift_letters_are_paid"
    message = _("This cost nothing, so we do not mail it to others. Pass its link on yourself.")


class TooManyTries(DomainError):
    code = "too_many_tries"
    status = 429
    message = _("That were many tries. Wait an hour, then try again.")


class EmailMissing(DomainError):
    code = "email_missing"
    status = 400
    field = "email"
    message = _("Enter your email address, such as name@example.com.")


class EmailInvalid(DomainError):
    code = "email_invalid"
    status = 400
    field = "email"
    message = _("This is not an email address. It should look like name@example.com.")


class CartEmpty(DomainError):
    code = "cart_empty"
    message = _("Your cart is empty.")


class CartNeedsAttention(DomainError):
    code = "cart_needs_attention"
    message = _("Something in your cart changed. Look at the marked lines, then check out.")


class ConsentMissing(DomainError):
    code = "consent_missing"
    status = 400
    field = "consent"
    message = _("Tick the box to have your files delivered now.")


class ConsentOutdated(DomainError):
    code = "consent_outdated"
    field = "consent_version"
    message = _("The text that buyers agree to has changed. Show it again, then check out.")


class AmountTooSmall(DomainError):
    code = "amount_too_small"

    def __init__(self, minimum: str) -> None:
        super().__init__(
            gettext("The smallest amount that can be paid is {minimum}.").format(minimum=minimum)
        )


class AmountTooLarge(DomainError):
    code = "amount_too_large"

    def __init__(self, maximum: str) -> None:
        super().__init__(
            gettext("At most {maximum} can be paid at once. Buy in two steps.").format(
                maximum=maximum
            )
        )


class OrderClosed(DomainError):
    code = "order_closed"
    message = _("This order can no longer be paid. Check out again from your cart.")


class OrderChanged(DomainError):
    code = "order_changed"
    message = _(
        "Something in this order is no longer for sale at this price. Check out from your cart."
    )


class PaymentOnItsWay(DomainError):
    code = "payment_on_its_way"
    message = _(
        "A payment for this order is already on its way. You will get your files when it arrives."
    )


class PaymentUnderReview(DomainError):
    code = "payment_under_review"
    message = _(
        "Your payment arrived with another amount than this order's. The shop has been told and looks "
        "into it; please do not pay again."
    )


class PaymentServiceUnavailable(DomainError):
    code = "payment_service_unavailable"
    status = 503
    retry_after_s = 30
    message = _("The payment service cannot be reached right now. Nothing was charged.")


class PaymentRefused(DomainError):
    code = "payment_refused"
    status = 502
    message = _("The payment service did not accept this order. Nothing was charged.")


class NothingToRefund(DomainError):
    code = "nothing_to_refund"
    message = _("There is nothing left to refund here.")


class RefundTooLarge(DomainError):
    code = "refund_too_large"

    def __init__(self, left: str) -> None:
        super().__init__(
            gettext("Only {left} of this payment is left to refund.").format(left=left)
        )


class RefundLineTaken(DomainError):
    code = "refund_line_taken"
    message = _("One of these lines has been refunded already. Look at the order again.")


class RefundBlockedByDispute(DomainError):
    code = "refund_blocked_by_dispute"
    message = _(
        "The buyer's bank disputes this payment, so the money is with the bank and cannot be refunded."
    )


class RefundFormStale(DomainError):
    code = "refund_form_stale"
    message = _("This form has been used already for another refund. Open it again.")


class ReceiptNotYet(DomainError):
    code = "receipt_not_yet"
    message = _("There is a receipt once the order is paid.")


class MailOnItsWay(DomainError):
    code = "mail_on_its_way"
    message = _("This letter is on its way already. It can take a few minutes to arrive.")


class MailSentJustNow(DomainError):
    code = "mail_sent_just_now"
    status = 429

    def __init__(self, minutes: int) -> None:
        self.retry_after_s = minutes * 60
        words = ngettext(
            "This was sent a few minutes ago. Look among your unwanted mail too; we can send it again in "
            "{minutes} minute.",
            "This was sent a few minutes ago. Look among your unwanted mail too; we can send it again in "
            "{minutes} minutes.",
            minutes,
        )
        super().__init__(words.format(minutes=minutes))


class AccountHasPayments(DomainError):
    code = "account_has_payments"
    message = _(
        "A payment of yours is still on its way. You can close your account once it has arrived."
    )


class AccountIsStaffs(DomainError):
    code = "account_is_staffs"
    message = _("This account runs the shop. Another administrator can close it for you.")


class FormUsedElsewhere(DomainError):
    code = "form_used"
    message = _("This form was used for something else already. Open it again.")


class NotOutYet(DomainError):
    code = "not_out_yet"
    field = "product"

    def __init__(self, title: str, day: date) -> None:
        super().__init__(
            gettext("“{title}” comes out on {day}. It can be given from then on.").format(
                title=title, day=date_format(day)
            )
        )


class NothingToGive(DomainError):
    code = "nothing_to_give"
    field = "product"

    def __init__(self, title: str) -> None:
        super().__init__(
            gettext("“{title}” has no files yet, so there is nothing to give.").format(title=title)
        )
