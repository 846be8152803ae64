"""What an owner adds to the shop's letters."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel, ObjectList
from wagtail.models import PreviewableMixin

from catalog_pages.models import ShopSettings
from catalog_pages.posted import OpenedForm
from orders.letter_words import CONTACT_EMAIL, placeholders_in, words_problem

MOST = 2000
HOW = _("Plain text. A blank line begins a paragraph.")


class LetterText(PreviewableMixin, models.Model):
    """An owner's words above and below what the shop writes. One row for each kind, made on first use."""

    class Kind(models.TextChoices):
        RECEIPT = "receipt", _("Receipt")
        PROCESSING = "processing", _("Payment on its way")
        PAYMENT_FAILED = "payment_failed", _("Payment that did not arrive")
        REFUNDED = "refunded", _("Refund")
        ACCESS_SUSPENDED = "access_suspended", _("Files closed for now")
        ACCESS_RESTORED = "access_restored", _("Files available again")
        GUEST_LINKS = "guest_links", _("Links to files, on request")
        NEW_VERSION = "new_version", _("New version of a file")
        GIFT = "gift", _("Gift for somebody")
        GIFT_REDEEMED = "gift_redeemed", _("Gift redeemed")
        GIFT_TAKEN_BACK = "gift_taken_back", _("Gift closed")
        GIFT_RETURNED = "gift_returned", _("Gift open again")

    kind = models.CharField(
        max_length=40, choices=Kind.choices, unique=True, editable=False, verbose_name=_("kind")
    )
    above = models.TextField(
        _("above the shop's words"), blank=True, max_length=MOST, help_text=HOW
    )
    below = models.TextField(
        _("below the shop's words"), blank=True, max_length=MOST, help_text=HOW
    )

    wagtail_reference_index_ignore = True
    edit_handler = ObjectList(
        [FieldPanel("above"), FieldPanel("below")], base_form_class=OpenedForm
    )

    class Meta:
        verbose_name = _("letter")
        verbose_name_plural = _("letters")
        default_permissions = ("change", "view")
        permissions = [("test_lettertext", "Can have test letters sent to themselves")]

    def __str__(self) -> str:
        return str(self.Kind(self.kind).label)

    def clean(self) -> None:
        """A sentence for each text that speaks of what its letter does not know."""
        super().clean()
        problems = {
            name: problem
            for name in ("above", "below")
            if (problem := self._problem_of(getattr(self, name)))
        }
        if problems:
            raise ValidationError(problems)

    def _problem_of(self, text: str) -> str:
        if problem := words_problem(kind=self.kind, text=text):
            return problem
        if CONTACT_EMAIL in placeholders_in(text) and not ShopSettings.load().contact_email:
            return str(
                _(
                    "The shop has no contact address that could stand there. Give it one under "
                    "Settings, Shop, or leave out {contact_email}."
                )
            )
        return ""

    @property
    def preview_modes(self) -> list[tuple[str, object]]:
        return [("html", _("With pictures and colours")), ("text", _("Plain text"))]
