"""People who work in the admin, and the forms they send."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Group
from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils.text import slugify
from wagtail.models import GroupApprovalTask, Page, Workflow, WorkflowPage, WorkflowTask
from wagtail.test.utils.form_data import inline_formset, nested_form_data, rich_text

from catalog_pages.models import Artist, CataloguePage, DigitalAsset, ProductPage
from catalog_pages.roles import MODERATORS, ensure_roles
from catalog_pages.tests.sample_audio import write_tone
from tests.factories import make_asset, make_editor, make_user


def owner_client() -> Client:
    """Somebody who may do everything."""
    return _client_of(make_editor())


def member_client(group: str) -> Client:
    """Somebody with the rights of one group alone."""
    ensure_roles()  # transactional tests empty the tables, the groups' rights included
    user = make_user()
    user.groups.add(Group.objects.get(name=group))
    return _client_of(user)


def moderation() -> None:
    """Pages are submitted to the Moderators, as in a new shop; emptied tables have lost that too."""
    task, _ = GroupApprovalTask.objects.get_or_create(name="Moderators approval", active=True)
    task.groups.add(Group.objects.get_or_create(name=MODERATORS)[0])
    workflow, _ = Workflow.objects.get_or_create(name="Moderators approval", active=True)
    WorkflowTask.objects.get_or_create(workflow=workflow, task=task)
    WorkflowPage.objects.get_or_create(workflow=workflow, page=Page.get_first_root_node())


def track(title: str = "First", *assets: DigitalAsset | None, **fields: Any) -> dict[str, Any]:
    """A track's part of the product form; None is a file row in which nothing was chosen."""
    files = [{"asset": str(asset.pk) if asset else ""} for asset in assets]
    return {"title": title, "files": inline_formset(files), **fields}


def tone(hertz: int = 440, suffix: str = ".wav", **tags: str) -> bytes:
    """A second of real sound; every pitch is a file of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"tone{suffix}"
        write_tone(path, seconds=1, hertz=hertz, rate=48_000, channels=1, **tags)
        return path.read_bytes()


def unfinished(title: str = "Half done") -> ProductPage:
    """A draft that has no price and no track, saved as the editor saves drafts."""
    artist = Artist.objects.get_or_create(name="The Test Pressings")[0]
    page = ProductPage(title=title, artist=artist, live=False)
    CataloguePage.objects.get().add_child(instance=page)
    page.save_revision(clean=False)
    return page


def product_data(
    *,
    tracks: list[dict[str, Any]] | None = None,
    contents: Sequence[ProductPage | None] = (),
    **fields: Any,
) -> dict[str, Any]:
    """What the product editor posts; a finished product unless told otherwise.

    `contents`: the products of a bundle; None is a row in which nothing was chosen.
    """
    artist = fields.pop("artist", None)
    if artist is None:
        artist = Artist.objects.get_or_create(name="The Test Pressings")[0]
    rows = [track("First", make_asset())] if tracks is None else tracks
    title = fields.setdefault("title", "Harbour")
    # The editor's script fills the slug in from the title.
    fields.setdefault("slug", slugify(title, allow_unicode=True))
    return nested_form_data(
        {
            "price_pennies": "4.99",
            "suggested_price_pennies": "",
            "artist": artist if isinstance(artist, str) else artist.pk,
            "genre": "",
            "cover": "",
            "release_date": "",
            "description": rich_text(""),
            "credits": "",
            "tracks": inline_formset(rows),
            "contents": inline_formset(
                [{"product": str(part.pk) if part else ""} for part in contents]
            ),
            "comments": inline_formset([]),
            **fields,
        }
    )


def create_product(client: Client, action: str = "", **fields: Any) -> HttpResponse:
    """Send the form of a new product; `action` is one of publish, submit or nothing (a draft)."""
    parent = CataloguePage.objects.get()
    url = reverse("wagtailadmin_pages:add", args=["catalog_pages", "productpage", parent.pk])
    return client.post(url, product_data(**fields) | _action(action))


def edit_product(
    client: Client, page: ProductPage, action: str = "", **fields: Any
) -> HttpResponse:
    url = reverse("wagtailadmin_pages:edit", args=[page.pk])
    return client.post(url, product_data(**{"title": page.title, **fields}) | _action(action))


def bulk(client: Client, action: str, *pages: Page, **data: Any) -> HttpResponse:
    """Choose pages in the list and confirm one action for all of them."""
    url = reverse("wagtail_bulk_action", args=["wagtailcore", "page", action])
    ids = "&".join(f"id={page.pk}" for page in pages)
    return client.post(f"{url}?{ids}", data)


def sentences(response: HttpResponse) -> str:
    """Everything an editor is told by the answer: banners, and the page itself when it is one."""
    banners = [str(message) for message in get_messages(response.wsgi_request)]
    body = response.content.decode() if response.status_code == 200 else ""
    return "\n".join([*banners, body])


def _client_of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def _action(action: str) -> dict[str, str]:
    return {f"action-{action}": "1"} if action else {}
