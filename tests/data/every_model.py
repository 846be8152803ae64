"""One row in every table, so that nothing is forgotten by a copy because the shop never used it."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

from django.db import IntegrityError, models, transaction
from django.utils import timezone

from catalog_pages.models import ProductPage
from site_config.moving.rows import columns, tables

# What the database demands and no rule of ours can guess.
WISHES: dict[str, dict[str, Any]] = {
    "catalog_pages.BundledProduct": {"page_id": lambda: ProductPage.objects.order_by("pk")[0].pk},
    "catalog_pages.PendingUpload": {
        "fingerprint": lambda: "ab" * 32,
        "claim": lambda: None,
        "claim_id": lambda: None,
        "asset_id": lambda: None,
    },
    "orders.WebhookDelivery": {"delivered_at": lambda: None},
    "orders.DiscountUse": {"released_at": lambda: None},
    "orders.DiscountCode": {
        "kind": lambda: "percent",
        "percent": lambda: 10,
        "amount_pennies": lambda: None,
    },
    "orders.WebhookEndpoint": {
        "is_active": lambda: True,
        "disabled_at": lambda: None,
        "disabled_reason": lambda: "",
        "app_id": lambda: None,
    },
}


def without_rows() -> list[str]:
    return [model._meta.db_table for model in tables() if not model._base_manager.exists()]


def fill() -> list[str]:
    """Rows for all that have none; the tables that could not be filled, with the reason."""
    failed: dict[str, str] = {}
    for _ in range(3):  # some wait for others
        failed = {}
        for model in tables():
            if not model._base_manager.exists():
                try:
                    with transaction.atomic():
                        _insert(_row(model))
                except (IntegrityError, LookupError, ValueError, TypeError) as error:
                    failed[model._meta.db_table] = str(error)
    return [f"{table}: {why}" for table, why in failed.items()]


def _insert(row: models.Model) -> None:
    """As the database takes it: no rule of ours, no signal."""
    if row._meta.parents:
        row.save_base(raw=True, force_insert=True)
    else:
        type(row)._base_manager.bulk_create([row])


def _row(model: type[models.Model]) -> models.Model:
    wishes = WISHES.get(model._meta.label, {})
    values = {
        field.attname: wishes.get(field.attname, lambda one=field: _value(one))()
        for field in columns(model)
        if not field.generated and not isinstance(field, models.AutoField | models.BigAutoField)
    }
    return model(**values)


def _value(field: Any) -> Any:
    if field.is_relation:
        return _reference(field)
    if field.has_default() and not field.null:
        return field.get_default()
    if field.choices:
        return next(iter(field.flatchoices))[0]
    return _plain(field)


def _reference(field: Any) -> Any:
    related = field.related_model
    taken = field.model._base_manager.values(field.attname) if field.unique else ()
    found = related._base_manager.exclude(pk__in=taken).order_by("-pk").first()
    if found is None and not field.null:
        raise LookupError(f"nothing to refer to in {related._meta.db_table}")
    return found and getattr(found, field.target_field.attname)


def _plain(field: Any) -> Any:
    now = timezone.now()
    by_class: list[tuple[type, Any]] = [
        (models.DateTimeField, now + timedelta(days=1)),
        (models.DateField, date(2031, 2, 3)),
        (models.UUIDField, uuid.uuid4()),
        (models.BooleanField, False),
        (models.FloatField, 0.1),
        (models.BigIntegerField, 2**40),
        (models.IntegerField, 7),
        (models.BinaryField, b"\x00\xff bytes"),
        (models.GenericIPAddressField, "203.0.113.0"),
        (models.SlugField, "a-slug"),
        (models.EmailField, "someone@example.com"),
        (models.URLField, "https://shop.example/"),
        (models.JSONField, {"ø": [1, 1.5, None, True, "\u2028"], "a": {}}),
        (models.CharField, "æ“ø”😀"[: field.max_length or 5]),
        (models.TextField, "æ“ø”\n😀"),
        (models.FileField, ""),
    ]
    return next(value for kind, value in by_class if isinstance(field, kind))
