"""What the catalogue adds to the Wagtail admin. Each hook calls one function of `admin/`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import Permission
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from wagtail import hooks
from wagtail.admin.views.bulk_action import BulkAction
from wagtail.admin.viewsets.base import ViewSet
from wagtail.models import Page

from catalog_pages.admin import legal, screens
from catalog_pages.admin.api import construct_admin_api
from catalog_pages.admin.assets import DigitalAssetViewSet
from catalog_pages.admin.authoring import ProductEditorViewSet
from catalog_pages.admin.bulk import AssignGenreAction, ChangePricesAction
from catalog_pages.admin.chooser import DigitalAssetChooserViewSet
from catalog_pages.admin.deleting import (
    reasons_to_keep_contained,
    reasons_to_keep_on_show,
    reasons_to_keep_pages,
    reasons_to_keep_snippets,
    refuse,
    warnings_about_bundles,
)
from catalog_pages.admin.listed import (
    DeleteListed,
    MoveListed,
    PublishListed,
    UnpublishListed,
)
from catalog_pages.admin.music import MusicViewSet
from catalog_pages.admin.prices import PricesViewSet
from catalog_pages.admin.products import ProductListingViewSet
from catalog_pages.admin.publishing import (
    refuse_bulk_publish,
    refuse_live_copy,
    register_log_actions,
)
from catalog_pages.admin.upload_words import upload_words_script
from catalog_pages.changing import register_log_actions as register_change_actions

hooks.register("construct_admin_api", construct_admin_api)
hooks.register("insert_global_admin_css", screens.stylesheet)
hooks.register("insert_global_admin_js", screens.naming_of_editors)
hooks.register("register_log_actions", register_log_actions)
hooks.register("register_log_actions", legal.register_log_actions)
hooks.register("register_log_actions", register_change_actions)
# After Wagtail's own of the same names, whose place these take.
for own in (PublishListed, UnpublishListed, DeleteListed, MoveListed):
    hooks.register("register_bulk_action", own, order=100)
hooks.register("register_bulk_action", ChangePricesAction)
hooks.register("register_bulk_action", AssignGenreAction)
hooks.register("before_bulk_action", refuse_bulk_publish)
hooks.register("before_copy_page", refuse_live_copy)
hooks.register("insert_global_admin_js", upload_words_script)


@hooks.register("register_admin_viewset")
def audio_files() -> list[ViewSet]:
    return [
        DigitalAssetViewSet(),
        DigitalAssetChooserViewSet(),
        ProductEditorViewSet(),
        MusicViewSet(),
        ProductListingViewSet(),
        PricesViewSet(),
    ]


@hooks.register("register_admin_viewset")
def legal_texts() -> ViewSet:
    return legal.LegalTextViewSet()


@hooks.register("register_permissions")
def rights_to_settings() -> QuerySet[Permission]:
    """What a group can be given beside the right to the settings as such."""
    return Permission.objects.filter(
        content_type__app_label="catalog_pages", codename="change_selling_rules"
    )


@hooks.register("before_unpublish_page")
def keep_the_shops_own_pages_on_show(request: HttpRequest, page: Page) -> HttpResponse | None:
    if reasons := reasons_to_keep_on_show([page]):
        return refuse(request, reasons, reverse("wagtailadmin_explore", args=[page.pk]))
    return None


@hooks.register("before_delete_page")
def keep_the_shops_own_pages(request: HttpRequest, page: Page) -> HttpResponse | None:
    if reasons := reasons_to_keep_pages([page]) + reasons_to_keep_contained([page]):
        parent = page.get_parent()
        return refuse(request, reasons, reverse("wagtailadmin_explore", args=[parent.pk]))
    return None


@hooks.register("before_bulk_action")
def keep_the_shops_own_pages_in_bulk(
    request: HttpRequest, action_type: str, objects: list[Any], action: BulkAction
) -> HttpResponse | None:
    if not issubclass(action.model, Page):
        return None
    reasons = []
    if action_type == "unpublish":
        reasons = reasons_to_keep_on_show(objects)
    elif action_type == "delete":
        reasons = reasons_to_keep_pages(objects) + reasons_to_keep_contained(objects)
    return refuse(request, reasons, action.next_url) if reasons else None


@hooks.register("after_unpublish_page")
def tell_about_bundles(request: HttpRequest, page: Page) -> None:
    for sentence in warnings_about_bundles([page]):
        messages.warning(request, sentence)


@hooks.register("after_bulk_action")
def tell_about_bundles_in_bulk(
    request: HttpRequest, action_type: str, objects: list[Any], action: BulkAction
) -> None:
    if action_type == "unpublish" and issubclass(action.model, Page):
        for sentence in warnings_about_bundles(objects):
            messages.warning(request, sentence)


@hooks.register("before_delete_snippet")
def keep_named_artists_and_genres(
    request: HttpRequest, instances: Sequence[Model]
) -> HttpResponse | None:
    """Fires for one and for many; one artist that is still named stops the whole selection."""
    reasons = reasons_to_keep_snippets(instances)
    if not reasons:
        return None
    listing = type(instances[0]).snippet_viewset.get_url_name("list")  # type: ignore[attr-defined]
    return refuse(request, reasons, reverse(listing))
