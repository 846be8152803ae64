"""Versions of one file: a chain of immutable assets, each of which `replaces` the one before.

A version is published while a track of a product on sale uses it. Who bought an earlier one keeps it and
is offered the newest published one after it, never one before it.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping

from django.db import IntegrityError, transaction
from django.db.models import PROTECT, Exists, OuterRef, QuerySet
from django.db.models.fields.reverse_related import ForeignObjectRel
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from catalog_pages.errors import DomainError
from catalog_pages.locks import lock_assets
from catalog_pages.models import DigitalAsset, ProductPage, TrackFile


class CannotReplace(DomainError):
    """The file cannot become the next version of the other; the sentence says why."""

    code = "cannot_replace"
    status = 409
    message = _("This file cannot replace the other.")


class CannotUndo(DomainError):
    """The file stays the next version of the other; the sentence says why."""

    code = "cannot_undo"
    status = 409
    message = _("This file stays the new version of the other.")


def newest_published(asset_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, DigitalAsset]:
    """Of each asset that has one, its newest published version; one query for any number of assets."""
    replaced = DigitalAsset.objects.filter(pk__in=asset_ids, replaced_by__isnull=False)
    following = _following(replaced) if asset_ids else {}
    newest = {}
    for asset_id in asset_ids:
        published = [later for later in _after(asset_id, following) if later.is_published]  # type: ignore[attr-defined]
        if published:
            newest[asset_id] = published[-1]
    return newest


def newer_published(asset: DigitalAsset, wanted_id: uuid.UUID) -> DigitalAsset | None:
    """The asset `wanted_id` if it is a published version after `asset`, else None; one query."""
    following = _following(DigitalAsset.objects.filter(pk=asset.pk))
    for later in _after(asset.pk, following):
        if later.pk == wanted_id and later.is_published:  # type: ignore[attr-defined]
            return later
    return None


@transaction.atomic
def version_add(*, old_id: uuid.UUID, new_id: uuid.UUID) -> DigitalAsset:
    """Make the file `new_id` the next version of `old_id`; return it. Its bytes stay as they are.

    Two editors at once: one wins, whatever their two pairs have in common, and the other reads why
    not. Raises CannotReplace, and DigitalAsset.DoesNotExist for a file that is gone.
    """
    rows = lock_assets({old_id, new_id})
    old, new = (_found(rows, asset_id) for asset_id in (old_id, new_id))
    _refuse_unfit(old, new)
    try:
        with transaction.atomic():
            won = DigitalAsset.objects.filter(pk=new.pk, replaces=None).update(
                replaces=old, lineage=old.lineage
            )
    except IntegrityError as error:  # the unique `replaces` had the last word
        raise CannotReplace(
            gettext("“{old}” has been replaced already.").format(old=old)
        ) from error
    if not won:
        raise CannotReplace(
            gettext("“{new}” is a version of another file already.").format(new=new)
        )
    return DigitalAsset.objects.get(pk=new.pk)


@transaction.atomic
def version_undo(*, old_id: uuid.UUID, new_id: uuid.UUID) -> DigitalAsset:
    """Make the file `new_id`, by mistake the next version of `old_id`, one of its own; return it.

    Only while no buyer can know of it: it was never on sale as that version, and nobody fetched it.
    Raises CannotUndo, and DigitalAsset.DoesNotExist for a file that is gone.
    """
    rows = lock_assets({old_id, new_id})
    old, new = (_found(rows, asset_id) for asset_id in (old_id, new_id))
    refuse_undo(old, new)
    DigitalAsset.objects.filter(pk=new.pk).update(replaces=None, lineage=uuid.uuid4())
    return DigitalAsset.objects.get(pk=new.pk)


def refuse_undo(old: DigitalAsset, new: DigitalAsset) -> None:
    """Raise CannotUndo if `new` has to stay the next version of `old`."""
    if new.replaces_id != old.pk:
        raise CannotUndo(
            gettext("“{new}” is not the new version of “{old}”. Nothing has to be undone.").format(
                new=new, old=old
            )
        )
    if later := DigitalAsset.objects.filter(replaces=new).first():
        raise CannotUndo(
            gettext("“{new}” has been replaced by “{later}” itself. Undo that first.").format(
                new=new, later=later
            )
        )
    if page := ProductPage.objects.live().filter(tracks__files__asset=new).first():
        raise CannotUndo(
            gettext(
                "“{new}” is on sale in “{title}”, and whoever bought “{old}” is offered it. It "
                "stays the new version. If it is the wrong file, replace “{new}” with the "
                "right one."
            ).format(new=new, title=page.title, old=old)
        )
    if _is_named_by_other_rooms(new):
        raise CannotUndo(
            gettext(
                "“{new}” has been on sale as the new version of “{old}”, and was offered to "
                "whoever bought that. It stays the new version. If it is the wrong file, "
                "replace “{new}” with the right one."
            ).format(new=new, old=old)
        )


def _found(rows: Mapping[uuid.UUID, DigitalAsset], asset_id: uuid.UUID) -> DigitalAsset:
    if asset_id not in rows:
        raise DigitalAsset.DoesNotExist
    return rows[asset_id]


def _refuse_unfit(old: DigitalAsset, new: DigitalAsset) -> None:
    if new.pk == old.pk:
        raise CannotReplace(gettext("That is the same file. Choose the new version of it."))
    if later := DigitalAsset.objects.filter(replaces=old).first():
        raise CannotReplace(
            gettext("“{old}” has been replaced by “{later}” already. Replace that one.").format(
                old=old, later=later
            )
        )
    if new.replaces_id is not None or DigitalAsset.objects.filter(replaces=new).exists():
        raise CannotReplace(
            gettext("“{new}” is a version of another file already. Choose one that is not.").format(
                new=new
            )
        )
    if new.format_name != old.format_name:
        raise CannotReplace(
            gettext(
                "“{old}” is {format_name} and “{new}” is {format_name_2}. Buyers expect the "
                "format that they bought: choose a file in {format_name}."
            ).format(old=old, format_name=old.format_name, new=new, format_name_2=new.format_name)
        )
    if is_sold(new):
        raise CannotReplace(
            gettext(
                "“{new}” has been bought as it is, so it is no new version of anything. Upload "
                "the new version as a file of its own."
            ).format(new=new)
        )
    if page := _on_sale_without(old, new):
        raise CannotReplace(
            gettext(
                "“{new}” is on sale in “{title}” already, which does not have “{old}”. Whoever "
                "bought “{old}” would be offered it at once. Choose a file that is not on sale."
            ).format(new=new, title=page.title, old=old)
        )


def _on_sale_without(old: DigitalAsset, new: DigitalAsset) -> ProductPage | None:
    """A product on sale with the new file that nobody would know as another edition of the old one."""
    has_old = TrackFile.objects.filter(asset=old, track__page=OuterRef("pk"))
    pages = ProductPage.objects.live().filter(~Exists(has_old), tracks__files__asset=new)
    return pages.order_by("title").first()


def is_sold(asset: DigitalAsset) -> bool:
    """Whether somebody ordered it: then a room to the left, which this one may not know, protects it."""
    return any(
        _names(relation, asset)
        for relation in _other_rooms()
        if getattr(relation, "on_delete", None) is PROTECT
    )


def _is_named_by_other_rooms(asset: DigitalAsset) -> bool:
    """Whether it was sold, granted, fetched or published as a version: rows to the left tell of it."""
    return any(_names(relation, asset) for relation in _other_rooms())


def _other_rooms() -> list[ForeignObjectRel]:
    """The relations by which other rooms name an audio file."""
    return [
        relation
        for relation in DigitalAsset._meta.get_fields(include_hidden=True)
        if isinstance(relation, ForeignObjectRel)
        and relation.related_model._meta.app_label != DigitalAsset._meta.app_label
    ]


def _names(relation: ForeignObjectRel, asset: DigitalAsset) -> bool:
    rows = relation.related_model._base_manager.filter(**{relation.field.name: asset})
    return bool(rows.exists())


def _following(assets: QuerySet[DigitalAsset]) -> dict[uuid.UUID, DigitalAsset]:
    """Id -> the version that replaced it, of everything in the lineages of `assets`."""
    sold_now = TrackFile.objects.filter(asset=OuterRef("pk"), track__page__live=True)
    members = DigitalAsset.objects.filter(
        lineage__in=assets.order_by().values("lineage"), replaces__isnull=False
    )
    versions = members.annotate(is_published=Exists(sold_now))
    return {version.replaces_id: version for version in versions if version.replaces_id}


def _after(
    asset_id: uuid.UUID, following: Mapping[uuid.UUID, DigitalAsset]
) -> Iterator[DigitalAsset]:
    """The versions after this one, oldest first; a loop, which the shop never makes, ends."""
    seen = {asset_id}
    while (version := following.get(asset_id)) is not None and version.pk not in seen:
        seen.add(version.pk)
        asset_id = version.pk
        yield version
