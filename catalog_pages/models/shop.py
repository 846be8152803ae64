"""Facts about this installation that outlive any configuration file."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import JSONObject
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel, MultiFieldPanel, ObjectList
from wagtail.contrib.settings.models import BaseGenericSetting, register_setting
from wagtail.models import Page, PreviewableMixin

from catalog_pages.models.legal import LegalKind, LegalVersion, legal_links
from catalog_pages.money import BY_CODE, BY_SYMBOL
from catalog_pages.posted import OpenedForm
from catalog_pages.renditions import LOGO_PAGE, renditions_of
from catalog_pages.theme import DEFAULT_ACCENT, Theme, digest_of, parse_colour, theme_of
from catalog_pages.widgets import ColourInput

SELLING = "catalog_pages.change_selling_rules"
MAX_DOWNLOAD_LIMIT = 100_000  # as for DOWNLOAD_LIMIT in the environment


def configured_currency() -> str:
    return settings.STRIPE_CURRENCY


def _published(kind: str) -> str:
    return f"{kind}_published"


@register_setting(icon="cog")
class ShopSettings(PreviewableMixin, BaseGenericSetting):
    """The one row about the shop itself; `ShopSettings.load()` makes it on first use.

    `currency` is stored because every price in the database is an integer of *that* currency's
    minor units: changing the environment must not silently turn yen into pounds.
    """

    class Tax(models.TextChoices):
        NONE = "none", _("No tax")
        INCLUSIVE = "inclusive", _("Prices include it")
        EXCLUSIVE = "exclusive", _("Added to prices")

    store_id = models.UUIDField(default=uuid.uuid4, editable=False)
    currency = models.CharField(max_length=3, default=configured_currency, editable=False)
    shop_name = models.CharField(
        _("shop name"),
        max_length=80,
        default="Digital Downloads",
        help_text=_("Shown in the header, on receipts and in mail."),
    )
    tagline = models.CharField(
        _("tagline"),
        max_length=160,
        blank=True,
        default="Music you keep",
        help_text=_("One line that says what is sold here."),
    )
    contact_email = models.EmailField(
        _("contact email"),
        blank=True,
        help_text=_("Where buyers can reach you. Shown in the footer and on receipts."),
    )
    logo = models.ForeignKey(
        settings.WAGTAILIMAGES_IMAGE_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("logo"),
        help_text=_(
            "Shown in place of the shop's name at the top of each page and in mail, with the name for "
            "those who cannot see it. PNG, WebP or JPEG. It stands on light and on dark paper."
        ),
    )
    accent = models.CharField(
        _("accent colour"),
        max_length=20,
        blank=True,
        default=DEFAULT_ACCENT,
        help_text=_(
            "Of buttons and links, such as #1d4ed8. It is made darker on light paper and lighter on dark "
            "paper where it would be hard to read. Leave empty for the shop's own red."
        ),
    )
    currency_display = models.CharField(
        _("currency"),
        max_length=10,
        choices=[
            (BY_SYMBOL, _("By its sign, as in £4.99")),
            (BY_CODE, _("By its code, as in GBP 4.99")),
        ],
        default=BY_SYMBOL,
        help_text=_("How prices and amounts are shown, on pages and in letters."),
    )
    footer_text = models.CharField(
        _("footer text"),
        max_length=300,
        blank=True,
        help_text=_("A line at the foot of each page. Leave empty for the tagline."),
    )
    tax = models.CharField(
        _("tax"),
        max_length=10,
        choices=Tax.choices,
        default=Tax.NONE,
        help_text=_(
            "Worked out by Stripe Tax, which has to be set up in Stripe's dashboard first."
        ),
    )
    download_limit = models.PositiveIntegerField(
        _("download limit"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(MAX_DOWNLOAD_LIMIT)],
        help_text=_(
            "How often each bought file can be downloaded; 0 for as often as one likes. A product's own "
            "limit goes first. Holds for what is sold from now on. Leave empty for what this "
            "installation was set up with."
        ),
    )

    panels = [
        MultiFieldPanel(
            [FieldPanel("shop_name"), FieldPanel("tagline"), FieldPanel("contact_email")],
            heading=_("Who you are"),
        ),
        MultiFieldPanel(
            [
                FieldPanel("logo"),
                FieldPanel("accent", widget=ColourInput(default=DEFAULT_ACCENT)),
                FieldPanel("footer_text"),
            ],
            heading=_("How the shop looks"),
        ),
        MultiFieldPanel(
            [FieldPanel("currency_display"), FieldPanel("tax", permission=SELLING)],
            heading=_("Prices and tax"),
        ),
        MultiFieldPanel(
            [FieldPanel("download_limit", permission=SELLING)],
            heading=_("Downloads"),
        ),
    ]
    edit_handler = ObjectList(panels, base_form_class=OpenedForm)

    class Meta:
        verbose_name = _("shop")
        permissions = [("change_selling_rules", "Can change tax and the limit on downloads")]
        constraints = [
            models.CheckConstraint(
                condition=Q(download_limit__isnull=True)
                | Q(download_limit__lte=MAX_DOWNLOAD_LIMIT),
                name="shop_download_limit_at_most_100000",
            ),
            models.CheckConstraint(
                condition=Q(tax__in=["none", "inclusive", "exclusive"]), name="shop_tax_is_known"
            ),
            models.CheckConstraint(
                condition=Q(currency_display__in=[BY_SYMBOL, BY_CODE]),
                name="shop_currency_display_is_known",
            ),
        ]

    def __str__(self) -> str:
        return self.shop_name

    @classmethod
    def base_queryset(cls) -> models.QuerySet[ShopSettings]:
        """With the row come the logo and which legal texts there are: no page needs a query for its frame."""
        published = {
            _published(kind): models.Exists(LegalVersion.objects.filter(kind=kind))
            for kind in LegalKind.values
        }
        logo = renditions_of((LOGO_PAGE,)).filter(image=models.OuterRef("logo")).order_by("-pk")
        shape = JSONObject(image="image_id", file="file", width="width", height="height")
        return (
            super()
            .base_queryset()
            .annotate(**published, page_logo=models.Subquery(logo.values(made=shape)[:1]))
        )

    @property
    def legal_links(self) -> list[dict[str, Any]]:
        if hasattr(self, _published(LegalKind.TERMS.value)):
            kinds = [kind for kind in LegalKind.values if getattr(self, _published(kind))]
        else:  # just made, or a preview
            kinds = list(LegalVersion.objects.in_force().values_list("kind", flat=True))
        return legal_links(kinds)

    def clean(self) -> None:
        """Sentences for what an owner can get wrong; a colour in one spelling."""
        super().clean()
        problems: dict[str, Any] = {}
        try:
            self.accent = parse_colour(self.accent) if self.accent.strip() else DEFAULT_ACCENT
        except ValueError:
            problems["accent"] = _(
                "Enter a colour as # and six digits or letters, such as #1d4ed8."
            )
        if self.logo is not None and self.logo.is_svg():
            problems["logo"] = _(
                "An SVG file can hold scripts, so it cannot be the logo. Choose a PNG, WebP or JPEG file."
            )
        if problems:
            raise ValidationError(problems)

    @property
    def readable_accent(self) -> str:
        """`accent` as one can rely on it: whatever was written past the form counts as the default."""
        try:
            return parse_colour(self.accent)
        except ValueError:
            return DEFAULT_ACCENT

    @property
    def theme_path(self) -> str:
        """Where the stylesheet of its colour is; "" for the default, which needs none."""
        accent = self.readable_accent
        if accent == DEFAULT_ACCENT:
            return ""
        return reverse("shop_theme", args=[accent[1:], digest_of(accent)])

    @property
    def letter_colours(self) -> Theme | None:
        """For mail, which has no stylesheet to link to; None for the default."""
        accent = self.readable_accent
        return None if accent == DEFAULT_ACCENT else theme_of(accent)

    @property
    def preview_modes(self) -> list[tuple[str, Any]]:
        return [("home_page", _("Home page")), ("catalogue_page", _("Catalogue"))]

    def serve_preview(self, request: HttpRequest, mode_name: str) -> HttpResponse:
        """A public page as it would be with these values; the page itself knows nothing of it."""
        page = Page.objects.filter(
            live=True,
            content_type__app_label="catalog_pages",
            content_type__model=mode_name.replace("_", ""),
        ).first()
        if page is None:
            return HttpResponse(_("This page is not published, so there is nothing to show."))
        return page.specific.serve_preview(request, "")
