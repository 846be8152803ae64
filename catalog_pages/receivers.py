"""What happens by itself when the catalogue changes: excerpts, cover sizes, redirects, search, files removed.

Connected by `CatalogPagesConfig.ready`. Work that takes time goes to the task queue after commit.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, post_save, pre_save
from django.utils.encoding import uri_to_iri
from wagtail.contrib.redirects.models import Redirect
from wagtail.signals import page_published, workflow_approved

from catalog_pages.models import (
    Artist,
    CoverImage,
    DigitalAsset,
    Excerpt,
    Genre,
    ProductPage,
    ShopSettings,
)
from catalog_pages.money_display import learn_saved
from catalog_pages.publishing import PublishRefused, publish_problems
from catalog_pages.renditions import make_logo_renditions
from catalog_pages.tasks import index_products_again, make_cover_renditions, make_excerpts

FIELDS_THAT_CHANGE_SIZES = {
    "file",
    "focal_point_x",
    "focal_point_y",
    "focal_point_width",
    "focal_point_height",
}


def prepare_published_product(instance: ProductPage, **kwargs: Any) -> None:
    """Cut excerpts and make cover sizes, so that no reader's GET ever has to."""
    if not instance.live:  # Wagtail sends the signal for a scheduled page, too
        return
    transaction.on_commit(partial(make_excerpts.enqueue, instance.pk))
    if instance.cover_id:
        transaction.on_commit(partial(make_cover_renditions.enqueue, instance.cover_id))


def prepare_changed_cover(
    instance: CoverImage, raw: bool = False, update_fields: Any = None, **kwargs: Any
) -> None:
    """A new picture or focal point. Wagtail throws old sizes away in the transaction of the save."""
    if not raw and (update_fields is None or FIELDS_THAT_CHANGE_SIZES & set(update_fields)):
        transaction.on_commit(partial(make_cover_renditions.enqueue, instance.pk))


def prepare_logo(instance: ShopSettings, raw: bool = False, **kwargs: Any) -> None:
    """At once, not by the queue: the next page shows it, and caches may keep that page."""
    if not raw and instance.logo is not None:
        transaction.on_commit(partial(make_logo_renditions, instance.logo))


def refuse_unready_approval(instance: Any, **kwargs: Any) -> None:
    """Approval may only set a date, which `ProductPage.save` does not look at: look here.

    Raised inside the workflow's own transaction, so that the approval is undone with it.
    """
    page = instance.content_object
    version = page.specific.get_latest_revision_as_object() if page else None
    if isinstance(version, ProductPage) and (problems := publish_problems(version)):
        raise PublishRefused(version, problems)


def remember_old_name(instance: Artist | Genre, **kwargs: Any) -> None:
    """Before the row is overwritten, note what it was called and where its page was."""
    stored = type(instance).objects.filter(pk=instance.pk).first()
    instance.old_name = stored.name if stored else instance.name
    instance.old_path = _path(stored) if stored else ""


def search_by_new_name(instance: Artist | Genre, **kwargs: Any) -> None:
    """The index holds the name with each product."""
    if getattr(instance, "old_name", instance.name) != instance.name:
        kind = "artist" if isinstance(instance, Artist) else "genre"
        transaction.on_commit(partial(index_products_again.enqueue, kind, instance.pk))


def redirect_old_address(instance: Artist | Genre, **kwargs: Any) -> None:
    """Links to the old address lead to the new one, in one hop however often it changed."""
    old, new = getattr(instance, "old_path", ""), _path(instance)
    if old == new:
        return
    Redirect.objects.filter(old_path=new).delete()  # the address is alive again
    if not old:
        return
    Redirect.objects.filter(redirect_link=_link(old)).update(redirect_link=_link(new))
    Redirect.objects.filter(old_path=old).delete()
    Redirect.objects.create(old_path=old, redirect_link=_link(new), automatically_created=True)


def forget_redirects(instance: Artist | Genre, **kwargs: Any) -> None:
    """A redirect to a page that is gone would only delay the answer "not found"."""
    Redirect.objects.filter(
        redirect_link=_link(_path(instance)), automatically_created=True
    ).delete()


def remove_stored_file(instance: DigitalAsset | Excerpt, **kwargs: Any) -> None:
    """The bytes go once the row is gone for good, never while a rollback could bring it back."""
    transaction.on_commit(partial(instance.file.storage.delete, instance.file.name or ""))


def connect() -> None:
    """Wire everything above to its signal; called once, when the app is ready."""
    page_published.connect(prepare_published_product, sender=ProductPage)
    workflow_approved.connect(refuse_unready_approval)
    post_save.connect(prepare_changed_cover, sender=CoverImage)
    post_save.connect(prepare_logo, sender=ShopSettings)
    post_save.connect(learn_saved, sender=ShopSettings)
    for model in (Artist, Genre):
        pre_save.connect(remember_old_name, sender=model)
        post_save.connect(search_by_new_name, sender=model)
        post_save.connect(redirect_old_address, sender=model)
        post_delete.connect(forget_redirects, sender=model)
    for stored in (DigitalAsset, Excerpt):
        post_delete.connect(remove_stored_file, sender=stored)


def _path(instance: Artist | Genre) -> str:
    """The address as redirects keep it: decoded, without the last slash."""
    return Redirect.normalise_path(instance.get_absolute_url())


def _link(path: str) -> str:
    return f"{uri_to_iri(path)}/"
