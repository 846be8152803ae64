"""The shop's home page and catalogue take the place of Wagtail's welcome page.

Historical models have no tree methods, so the tree's columns are written out. Not reversible in
substance (an editor's pages would be lost), hence reversing leaves the pages where they are.
"""

from django.db import migrations
from django.utils import timezone

ROOT_PATH = "0001"


def make_tree(apps, schema_editor):
    ContentType = apps.get_model("contenttypes", "ContentType")
    Locale = apps.get_model("wagtailcore", "Locale")
    Page = apps.get_model("wagtailcore", "Page")
    Site = apps.get_model("wagtailcore", "Site")
    HomePage = apps.get_model("catalog_pages", "HomePage")
    CataloguePage = apps.get_model("catalog_pages", "CataloguePage")

    # Wagtail's welcome page goes; so does the site that leads to it.
    Site.objects.all().delete()
    Page.objects.filter(depth__gt=1).delete()
    root = Page.objects.get(depth=1)
    locale = Locale.objects.first()

    def content_type(model):
        return ContentType.objects.get_or_create(app_label="catalog_pages", model=model)[0]

    shared = {"locale": locale, "live": True, "first_published_at": timezone.now()}
    home = HomePage.objects.create(
        title="Home",
        draft_title="Home",
        slug="home",
        url_path="/home/",
        depth=2,
        numchild=1,
        path=ROOT_PATH + "0001",
        content_type=content_type("homepage"),
        hero_title="Music you keep",
        hero_text="Buy once, download for good. No subscription.",
        **shared,
    )
    CataloguePage.objects.create(
        title="Catalogue",
        draft_title="Catalogue",
        slug="catalog",
        url_path="/home/catalog/",
        depth=3,
        path=ROOT_PATH + "00010001",
        numchild=0,
        content_type=content_type("cataloguepage"),
        show_in_menus=True,
        **shared,
    )
    root.numchild = 1
    root.save()
    Site.objects.create(hostname="localhost", port=80, root_page=home, is_default_site=True)


class Migration(migrations.Migration):
    dependencies = [
        ("catalog_pages", "0001_catalogue"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("wagtailcore", "0097_baselogentry_uuid_action_timestamp_indexes"),
        ("wagtailsearch", "0009_remove_ngram_autocomplete"),
    ]
    operations = [migrations.RunPython(make_tree, migrations.RunPython.noop)]
