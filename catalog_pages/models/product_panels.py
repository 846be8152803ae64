"""The product editor, from top to bottom: the obvious first, then what fewer products need."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel, TitleFieldPanel

from catalog_pages.models.bundles import ContentsPanel
from catalog_pages.panels import ChecklistPanel, TracksPanel

PRODUCT_PANELS = [
    ChecklistPanel(heading=_("Before you publish"), classname="product-checklist-panel"),
    TitleFieldPanel("title", placeholder=_("Title*"), help_text=_("As buyers will see it.")),
    FieldPanel("price_pennies"),
    TracksPanel("tracks", heading=_("Tracks"), label=_("Track"), min_num=0),
    FieldPanel("cover", help_text=_("A square picture, best 1200 pixels wide or more.")),
    FieldPanel("description", help_text=_("What a buyer wants to know before listening.")),
    MultiFieldPanel(
        [
            FieldPanel("artist", help_text=_("Who made it. You can make a new one in the window.")),
            FieldPanel("genre", help_text=_("One word by which buyers find more of its kind.")),
            FieldPanel("credits"),
        ],
        heading=_("People and genre"),
    ),
    MultiFieldPanel(
        [
            FieldPanel(
                "release_date",
                help_text=_(
                    "Shown to buyers. A day that lies ahead: the page can be seen and heard as soon as "
                    "it is published, and bought from that day on, by itself."
                ),
            )
        ],
        heading=_("Release and pre-save"),
    ),
    MultiFieldPanel(
        [
            FieldPanel("pay_what_you_want"),
            FieldPanel("suggested_price_pennies"),
            FieldPanel("download_limit"),
        ],
        heading=_("Pricing details"),
        classname="collapsed",
    ),
    MultiFieldPanel(
        [
            ContentsPanel(
                "contents",
                chooser_field_name="product",
                heading=_("Contents of a bundle"),
                label=_("Product"),
                min_num=0,
                help_text=_(
                    "Only for bundles: the products that its buyers get, in this order. A bundle needs "
                    "no tracks of its own."
                ),
            )
        ],
        heading=_("Bundle"),
        classname="collapsed",
    ),
    MultiFieldPanel(
        [
            FieldPanel(
                "slug",
                help_text=_("The last part of the page's address. It is made from the title."),
            ),
            FieldRowPanel([FieldPanel("seo_title"), FieldPanel("search_description")]),
        ],
        heading=_("Search engines"),
        classname="collapsed",
        help_text=_(
            "Leave these empty unless you want other words in search results than title and description. "
            "The picture that is shown when somebody shares the page is the cover."
        ),
    ),
]
