"""Which migrations may run while the release before still serves: the rules of docs/migrations.md.

Between `migrate` and the restart of the last process the old code meets the new tables. So a column that it
reads must stay, one that it does not know must fill itself, and nothing may lock a large table for long.

A migration that breaks a rule on purpose says why: `not_gentle_because = "…"` in its class.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.migrations import Migration, operations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.db.models import NOT_PROVIDED, Field, ManyToManyField

from catalog_pages.gentle import AddIndexGently

# The last migration of each app that was there before the rules: what came before is not looked at.
BASELINE = {
    "accounts": "0002_closed_accounts",
    "catalog_pages": "0016_what_lists_of_products_are_sorted_by",
    "downloads": "0013_what_was_listened_to",
    "orders": "0022_who_ever_brought_in_what",
    "store_api": "0001_idempotent_requests",
    "stripe_sandbox": "0002_refunds_wait_or_fail_and_lists_are_indexed",
}
# What has a row for each sale, each fetch or each file: a lock there is felt.
LARGE = frozenset(
    "accounts.user catalog_pages.digitalasset catalog_pages.excerpt catalog_pages.productpage "
    "catalog_pages.producttrack catalog_pages.trackfile downloads.accessevent downloads.download "
    "downloads.userasset orders.cart orders.cartitem orders.giftcode orders.order orders.orderitem "
    "orders.orderitemasset orders.outboxmail orders.payment orders.stripeevent orders.webhookdelivery "
    "orders.webhookevent".split()
)


@dataclass(frozen=True)
class Broken:
    """One rule that one operation breaks; `excused`: why that was meant, "" when nobody says."""

    migration: str
    rule: str
    sentence: str
    excused: str

    def __str__(self) -> str:
        return f"{self.migration}: {self.sentence} [{self.rule}]"


def broken_rules(
    loader: MigrationLoader, baseline: Mapping[str, str] = BASELINE
) -> Iterator[Broken]:
    """Of every migration of these apps that came after the baseline."""
    for key in sorted(key for key in loader.disk_migrations if key[0] in baseline):
        if not _is_before(loader, key, baseline[key[0]]):
            yield from rules_of(
                loader.disk_migrations[key], loader.project_state(key, at_end=False)
            )


def _is_before(loader: MigrationLoader, key: tuple[str, str], last: str) -> bool:
    return bool(last) and key in loader.graph.forwards_plan((key[0], last))


def rules_of(migration: Migration, state: ProjectState) -> Iterator[Broken]:
    """`state`: that before the migration. What it makes itself is nobody's yet, and it may change that."""
    name = f"{migration.app_label}.{migration.name}"
    excused = str(getattr(migration, "not_gentle_because", ""))
    fresh: set[str] = set()
    for operation in migration.operations:
        if isinstance(operation, operations.CreateModel):
            fresh.add(operation.name_lower)
        else:
            for rule, sentence in _wrong(operation, migration, state, fresh):
                yield Broken(name, rule, sentence, excused)
        operation.state_forwards(migration.app_label, state)


def _wrong(
    operation: Any, migration: Migration, state: ProjectState, fresh: set[str]
) -> Iterator[tuple[str, str]]:
    model = str(getattr(operation, "model_name_lower", getattr(operation, "name_lower", "")))
    if model in fresh:
        return
    for kind, look in LOOKS.items():
        if isinstance(operation, kind):
            yield from look(operation, migration, state)
            return


def _goes(operation: Any, migration: Migration, state: ProjectState) -> Iterator[tuple[str, str]]:
    yield (
        "in-use",
        f"{operation.describe()}: the release before still reads it. Remove it one release later",
    )


def _renamed(
    operation: Any, migration: Migration, state: ProjectState
) -> Iterator[tuple[str, str]]:
    yield (
        "renamed",
        f"{operation.describe()}: the release before knows the old name. Add the new one beside it",
    )


def _added(operation: Any, migration: Migration, state: ProjectState) -> Iterator[tuple[str, str]]:
    field: Any = operation.field
    where = f"{operation.model_name}.{operation.name}"
    if isinstance(field, ManyToManyField):
        return
    fills_itself = field.null or field.generated or field.db_default is not NOT_PROVIDED
    if not fills_itself:
        yield (
            "not-null",
            f"{where} must have a value, and the release before gives it none: say null=True or db_default",
        )
    if (field.unique or field.db_index) and _is_large(migration, operation.model_name):
        yield (
            "index",
            f"{where} makes an index that locks a large table: add the field bare, then AddIndexGently",
        )


def _altered(
    operation: Any, migration: Migration, state: ProjectState
) -> Iterator[tuple[str, str]]:
    new: Any = operation.field
    model = state.models[migration.app_label, operation.model_name_lower]
    old: Any = model.get_field(operation.name)
    where = f"{operation.model_name}.{operation.name}"
    if old.get_internal_type() != new.get_internal_type() or _is_shorter(new, old):
        yield ("type", f"{where} gets another type: the whole table is written anew, under a lock")
    if old.null and not new.null:
        yield (
            "not-null",
            f"{where} must have a value from now on: the release before may leave it out",
        )
    gains = (new.unique and not old.unique) or (new.db_index and not old.db_index)
    if gains and _is_large(migration, operation.model_name):
        yield ("index", f"{where} makes an index that locks a large table: use AddIndexGently")


def _is_shorter(new: Field[Any, Any], old: Field[Any, Any]) -> bool:
    return new.max_length is not None and (
        old.max_length is None or new.max_length < old.max_length
    )


def _indexed(
    operation: Any, migration: Migration, state: ProjectState
) -> Iterator[tuple[str, str]]:
    if isinstance(operation, AddIndexGently):
        if migration.atomic or len(migration.operations) > 1:
            yield ("index", "AddIndexGently stands alone, in a migration with atomic = False")
    elif _is_large(migration, operation.model_name):
        yield (
            "index",
            f"{operation.describe()}: it locks a large table while it is made. Use AddIndexGently",
        )


def _constrained(
    operation: Any, migration: Migration, state: ProjectState
) -> Iterator[tuple[str, str]]:
    if _is_large(migration, operation.model_name):
        yield (
            "constraint",
            f"{operation.describe()}: every row of a large table is read under a lock",
        )


def _run(operation: Any, migration: Migration, state: ProjectState) -> Iterator[tuple[str, str]]:
    if not operation.reversible:
        yield ("one-way", f"{operation.describe()}: there is no way back")


def _is_large(migration: Migration, model_name: str) -> bool:
    return f"{migration.app_label}.{model_name.lower()}" in LARGE


# The first that fits.
LOOKS = {
    operations.DeleteModel: _goes,
    operations.RemoveField: _goes,
    operations.RenameField: _renamed,
    operations.RenameModel: _renamed,
    operations.AlterModelTable: _renamed,
    operations.AddField: _added,
    operations.AlterField: _altered,
    operations.AddIndex: _indexed,
    operations.AddConstraint: _constrained,
    operations.RunPython: _run,
    operations.RunSQL: _run,
}
