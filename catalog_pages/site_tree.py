"""The two pages every shop has: the home page and the catalogue below it."""

from __future__ import annotations

from wagtail.models import Collection, Locale, Page, Site

from catalog_pages.models import CataloguePage, HomePage


def ensure_site_tree() -> HomePage:
    """Make the root, site, home page and catalogue that are missing; what exists is left alone.

    The first migration does the same for a new database. Tests that empty the tables call this.
    """
    if not Collection.objects.exists():
        Collection.add_root(name="Root")  # where Wagtail keeps pictures
    Locale.objects.get_or_create(language_code="en-gb")
    root = Page.objects.filter(depth=1).first() or Page.add_root(title="Root", slug="root")
    home = HomePage.objects.first()
    if home is None:
        home = root.add_child(instance=HomePage(title="Home", slug="home", live=True))
    if not CataloguePage.objects.exists():
        home.add_child(
            instance=CataloguePage(title="Catalogue", slug="catalog", live=True, show_in_menus=True)
        )
    site = Site.objects.filter(is_default_site=True).first()
    if site is None:
        Site.objects.create(hostname="localhost", port=80, root_page=home, is_default_site=True)
    return home
