"""The pages an editor writes: the home page, the catalogue, and one page per product."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.functional import SimpleLazyObject, cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel, MultiFieldPanel
from wagtail.fields import RichTextField
from wagtail.models import Page
from wagtail.search import index

from catalog_pages.forms import ProductPageForm
from catalog_pages.listing import Listing
from catalog_pages.models.bundles import in_order_of_title
from catalog_pages.models.product_panels import PRODUCT_PANELS
from catalog_pages.models.taxonomy import Artist
from catalog_pages.money import MAX_PRICE_PENNIES
from catalog_pages.publishing import PublishRefused, publish_problems
from catalog_pages.querysets import ProductManager
from catalog_pages.reading import Around, around, give_all, give_covers, give_tracks, newest_key
from catalog_pages.releases import can_be_bought, comes_out_on
from catalog_pages.routes import Routed
from catalog_pages.search_text import WordsField

# Lists, carts and the API offer whatever is published; a page that only some may open would be sold all
# the same. What is not for everybody is not published.
EVERYBODYS: list[str] = []


class HomePage(Routed):
    """The front door: one line, one large cover, one call to action."""

    hero_title = models.CharField(
        max_length=120,
        blank=True,
        help_text=_("One line that says what is sold here."),
        verbose_name=_("hero title"),
    )
    hero_text = models.CharField(
        max_length=300,
        blank=True,
        help_text=_("A second, quieter line."),
        verbose_name=_("hero text"),
    )
    hero_product = models.ForeignKey(
        "catalog_pages.ProductPage",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text=_("The large cover. Leave empty for the newest release."),
        verbose_name=_("hero product"),
    )
    call_to_action = models.CharField(
        max_length=40, blank=True, default="Browse the catalogue", verbose_name=_("call to action")
    )

    content_panels = [
        *Page.content_panels,
        MultiFieldPanel(
            [
                FieldPanel("hero_title"),
                FieldPanel("hero_text"),
                FieldPanel("hero_product"),
                FieldPanel("call_to_action"),
            ],
            heading=_("Hero"),
        ),
    ]
    max_count = 1
    private_page_options = EVERYBODYS
    parent_page_types = ["wagtailcore.Page"]
    subpage_types = ["catalog_pages.CataloguePage"]
    template = "catalog_pages/home_page.html"

    class Meta:
        verbose_name = _("home page")
        verbose_name_plural = _("home pages")

    def get_context(self, request: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context(request, *args, **kwargs)
        live = ProductPage.objects.live()
        newest = live.filter(pk__in=live.newest_first().values("pk")[:9]).order_by().values("pk")
        ids = newest.union(live.order_by().filter(pk=self.hero_product_id).values("pk"))
        shown = sorted(live.filter(pk__in=ids).for_cards().with_samples(), key=newest_key)
        chosen = (product for product in shown if product.pk == self.hero_product_id)
        hero = next(chosen, next(iter(shown), None))
        context["hero"] = hero
        context["new_releases"] = [product for product in shown if product != hero][:8]
        context["artists"] = Artist.objects.with_products()[:12]
        return context


class CataloguePage(Routed):
    """The list of everything for sale. Its address is fixed, so its slug is not offered."""

    introduction = RichTextField(
        blank=True, features=["bold", "italic", "link"], verbose_name=_("introduction")
    )

    content_panels = [*Page.content_panels, FieldPanel("introduction")]
    promote_panels = [
        MultiFieldPanel(
            [FieldPanel("seo_title"), FieldPanel("search_description")], _("Search engines")
        )
    ]
    max_count = 1
    private_page_options = EVERYBODYS
    parent_page_types = ["catalog_pages.HomePage"]
    subpage_types = ["catalog_pages.ProductPage"]
    template = "catalog_pages/catalogue_page.html"

    class Meta:
        verbose_name = _("catalogue page")
        verbose_name_plural = _("catalogue pages")

    def get_context(self, request: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context(request, *args, **kwargs)
        context["listing"] = Listing.of(ProductPage.objects.live(), request.GET)
        return context


class ProductPage(Routed):
    """One thing to buy. "On sale" is Wagtail's `live`; a price of None means "not priced yet"."""

    artist = models.ForeignKey(
        "catalog_pages.Artist",
        null=True,
        on_delete=models.PROTECT,
        related_name="products",
        verbose_name=_("artist"),
    )
    genre = models.ForeignKey(
        "catalog_pages.Genre",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="products",
        verbose_name=_("genre"),
    )
    cover = models.ForeignKey(
        "catalog_pages.CoverImage",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("cover"),
    )
    price_pennies = models.PositiveIntegerField("price", null=True)
    pay_what_you_want = models.BooleanField(
        _("buyers name their price"),
        default=False,
        help_text=_(
            "The price above is then the least that anybody pays; 0 lets them take it for nothing."
        ),
    )
    suggested_price_pennies = models.PositiveIntegerField(
        _("suggested price"),
        null=True,
        blank=True,
        help_text=_(
            "What stands in the field before the buyer changes it. Empty: the price above."
        ),
    )
    description = RichTextField(
        blank=True, features=["bold", "italic", "link", "ul", "ol"], verbose_name=_("description")
    )
    credits = models.TextField(
        blank=True,
        help_text=_("Who played, recorded, drew the cover. One per line."),
        verbose_name=_("credits"),
    )
    release_date = models.DateField(null=True, blank=True, verbose_name=_("release date"))
    download_limit = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text=_(
            "How often each buyer may download each file. Empty: the shop's usual limit; "
            "0: as often as they like. Holds for sales from now on."
        ),
        verbose_name=_("download limit"),
    )

    objects = ProductManager()

    base_form_class = ProductPageForm
    content_panels = PRODUCT_PANELS
    promote_panels: list[Any] = []  # the editor has one page; see "Search engines" there
    search_fields = [
        *Page.search_fields,
        WordsField("title", boost=2),
        WordsField("description"),
        WordsField("credits"),
        index.RelatedFields("artist", [WordsField("name"), index.AutocompleteField("name")]),
        index.RelatedFields("genre", [WordsField("name")]),
        index.RelatedFields("tracks", [WordsField("title")]),
        index.FilterField("artist_id"),
        index.FilterField("genre_id"),
        index.FilterField("price_pennies"),
        index.FilterField("release_date"),
    ]
    private_page_options = EVERYBODYS
    parent_page_types = ["catalog_pages.CataloguePage"]
    subpage_types: list[str] = []
    template = "catalog_pages/product_page.html"

    class Meta:
        verbose_name = _("product")
        constraints = [
            models.CheckConstraint(
                condition=Q(price_pennies__isnull=True)
                | Q(price_pennies__gte=0, price_pennies__lte=MAX_PRICE_PENNIES),
                name="product_price_null_or_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(suggested_price_pennies__isnull=True)
                | Q(suggested_price_pennies__lte=MAX_PRICE_PENNIES),
                name="product_suggestion_within_bounds",
            ),
        ]

    @property
    def contained(self) -> list[ProductPage]:
        """What a bundle contains, in its order; a draft's row may still be empty."""
        return [row.product for row in self.contents.all() if row.product_id is not None]

    @property
    def offered_price_pennies(self) -> int | None:
        """What stands in the field where buyers name their price."""
        suggested = self.suggested_price_pennies
        return self.price_pennies if suggested is None else suggested

    @property
    def is_whole(self) -> bool:
        """Whether all of a bundle is on sale; otherwise it cannot be bought."""
        return all(part.live for part in self.contained)

    @property
    def comes_out_on(self) -> date | None:
        """The day from which it can be bought, its own or the last of its contents'; None once it is out."""
        return comes_out_on(self, self.contained)

    @property
    def can_be_bought(self) -> bool:
        """Of a published product, whether it is priced, out and whole."""
        return can_be_bought(self, self.contained)

    @property
    def separate_price_pennies(self) -> int:
        """What a bundle's contents cost one by one."""
        return sum(part.price_pennies or 0 for part in self.contained)

    def save(self, *args: Any, clean: bool = True, **kwargs: Any) -> None:
        """Every road that publishes ends here with `live` set: form, bulk, workflow, schedule, command.

        Raises PublishRefused. A save that is told not to validate (`clean=False`: bookkeeping) passes.
        """
        if clean and self.live and (problems := publish_problems(self)):
            raise PublishRefused(self, problems)
        try:
            super().save(*args, clean=clean, **kwargs)
        except ValidationError as error:
            # The form asked before; a second request made the same new page in between. A form error is not
            # possible any more, and what was written is in the page that the other request made.
            if not self._state.adding or "slug" not in getattr(error, "error_dict", {}):
                raise
            sentence = gettext(
                "A page with the address “{slug}” was saved in the same moment. Open that one."
            )
            raise PublishRefused(self, [sentence.format(slug=self.slug)]) from error

    def publish(self, revision: Any, *args: Any, **kwargs: Any) -> None:
        """Ask before Wagtail touches anything: it clears schedules first and saves afterwards."""
        version = revision.as_object()
        if problems := publish_problems(version):
            raise PublishRefused(version, problems)
        super().publish(revision, *args, **kwargs)

    def get_context(self, request: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context(request, *args, **kwargs)
        # A preview shows the draft in memory, beside what is on sale.
        if getattr(request, "is_preview", False):
            self.beside = around(self)
            give_covers(self.beside.others)
            give_tracks(self.beside.others)
        context["product"] = self
        context["in_bundles"] = SimpleLazyObject(lambda: in_order_of_title(self.beside.bundles))
        context["more_by_artist"] = SimpleLazyObject(lambda: self.beside.more_by_artist)
        context["related"] = SimpleLazyObject(lambda: self.beside.related)
        return context

    @cached_property
    def beside(self) -> Around:
        """What its page shows beside it, and all that it shows of itself with it: three queries, once."""
        beside = around(self)
        give_all(self, beside)
        return beside
