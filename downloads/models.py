"""Who may fetch which bytes: grants, the reasons that stop them, and the ledger of what happened."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class UserAssetQuerySet(models.QuerySet["UserAsset"]):
    def with_facts(self) -> UserAssetQuerySet:
        """With what `decide` reads, for lists: two more queries for any number of grants."""
        downloads = Download.objects.defer("covered")
        return self.prefetch_related("revocations", models.Prefetch("downloads", downloads))


class UserAsset(models.Model):
    """A grant: one holder may fetch one asset because of one line of one order.

    `seat` 0 is the buyer; 1 and above are gift copies. The holder is an account, or an email
    address until an account claims it; the address stays as evidence either way. Title and
    position are frozen from the delivery list, so that a purchase looks the same in five years.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="grants",
    )
    email = models.EmailField(blank=True, db_index=True)
    asset = models.ForeignKey(
        "catalog_pages.DigitalAsset", on_delete=models.PROTECT, related_name="grants"
    )
    order_item = models.ForeignKey(
        "orders.OrderItem", on_delete=models.PROTECT, related_name="grants"
    )
    seat = models.PositiveSmallIntegerField(default=0)
    title = models.CharField(max_length=255)
    position = models.PositiveIntegerField(default=0)
    download_limit = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text=_("As agreed when it was bought. Empty: the shop's own limit; 0: no limit."),
    )
    counted_from = models.DateTimeField(
        null=True,
        blank=True,
        help_text=_("Downloads before this do not count: staff reset the limit."),
    )
    most_counted = models.PositiveIntegerField(
        default=0,
        editable=False,
        help_text=_("How many downloads count of the version that has most. Kept by the database."),
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UserAssetQuerySet.as_manager()
    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("grant")
        ordering = ["created_at", "order_item_id", "position"]
        permissions = [
            ("reset_userasset", "Can reset the limit of grants"),
            ("revoke_userasset", "Can take grants back"),
            ("restore_userasset", "Can give grants back"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=("order_item", "asset", "seat"), name="grant_once_per_seat"
            ),
            models.CheckConstraint(
                condition=Q(user__isnull=False) | ~Q(email=""), name="grant_has_a_holder"
            ),
        ]
        indexes = [
            # An account's lines, newest first, from any point on: read in order, never sorted.
            models.Index(fields=("user", "-order_item"), name="grant_by_user_and_line"),
            models.Index(fields=("created_at", "id"), name="grant_by_time"),
            # Those that may have reached their limit, which are few: their own, and the shop's.
            models.Index(
                fields=("created_at", "id"),
                condition=Q(download_limit__gt=0, most_counted__gte=models.F("download_limit")),
                name="grant_limit_reached",
            ),
            models.Index(
                fields=("most_counted",),
                condition=Q(download_limit=None, most_counted__gt=1),
                name="grant_by_use",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.asset_id})"


class Revocation(models.Model):
    """A reason why a grant does not work now. It is lifted, never deleted, when the reason goes."""

    class Cause(models.TextChoices):
        REFUND = "refund", _("refunded")
        DISPUTE = "dispute", _("payment disputed")
        STAFF = "staff", _("taken back by staff")
        ACCOUNT = "account", _("account closed")

    grant = models.ForeignKey(UserAsset, on_delete=models.PROTECT, related_name="revocations")
    cause = models.CharField(max_length=20, choices=Cause.choices)
    created_at = models.DateTimeField(auto_now_add=True)
    lifted_at = models.DateTimeField(null=True, blank=True)

    wagtail_reference_index_ignore = True

    class Meta:
        indexes = [
            models.Index(
                fields=("cause", "created_at"),
                condition=Q(lifted_at=None),
                name="revocation_standing",
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=("grant", "cause"),
                condition=Q(lifted_at__isnull=True),
                name="revocation_once_per_cause",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.grant_id}: {self.get_cause_display()}"


class Download(models.Model):
    """One logical download: a grant's file on one client within one window, in however many requests.

    It counts towards the limit from `counted_at` on: when enough of the file has been `covered`, however
    often a part was sent. While it has not, `held_until` keeps its place, so that several clients
    starting at once cannot all pass a limit of one.
    """

    grant = models.ForeignKey(UserAsset, on_delete=models.PROTECT, related_name="downloads")
    asset = models.ForeignKey(
        "catalog_pages.DigitalAsset", on_delete=models.PROTECT, related_name="+"
    )
    client = models.CharField(max_length=64, help_text=_("A keyed digest; never an address."))
    started_at = models.DateTimeField()
    ends_at = models.DateTimeField(help_text=_("When its window closes."))
    sent_bytes = models.BigIntegerField(
        default=0,
        help_text=_("Sent, or left to others to send; what goes twice once it counts, twice."),
    )
    promised_bytes = models.BigIntegerField(
        default=0,
        help_text=_("What the requests under way are to send."),
    )
    covered = models.JSONField(
        default=list,
        help_text=_("Which bytes of the file were sent: [start, stop] pairs, in order."),
    )
    scattered_bytes = models.BigIntegerField(
        default=0, help_text=_("Sent beside those, in stretches too many to be noted one by one.")
    )
    open_requests = models.PositiveIntegerField(default=0)
    shared = models.JSONField(
        default=list,
        help_text=_("What of that has counted together with another's, and makes no other count."),
    )
    counted_at = models.DateTimeField(null=True, blank=True)
    counted_by_link = models.BooleanField(
        default=False,
        help_text=_(
            "It counts because an address was given out; what came of that, nobody has told us."
        ),
    )
    held_until = models.DateTimeField(null=True, blank=True)
    is_current = models.BooleanField(default=True)

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=("grant", "asset", "client"),
                condition=Q(is_current=True),
                name="download_one_current_per_client",
            ),
            models.CheckConstraint(
                condition=Q(sent_bytes__gte=0, promised_bytes__gte=0, scattered_bytes__gte=0),
                name="download_sent_bytes",
            ),
            models.CheckConstraint(
                condition=Q(counted_by_link=False) | Q(counted_at__isnull=False),
                name="download_by_link_counts",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=models.F("started_at")), name="download_window_has_length"
            ),
        ]
        indexes = [
            models.Index(
                fields=("counted_at",),
                condition=Q(counted_by_link=True),
                name="download_counted_by_link",
            ),
            models.Index(
                fields=("counted_at",),
                condition=Q(counted_at__isnull=False),
                name="download_by_counted_at",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.grant_id}, {self.sent_bytes} bytes"

    def is_open(self, now: datetime) -> bool:
        """Whether its client may go on with it, if it has its place or gets one again."""
        return self.is_current and now < self.ends_at

    def is_held(self, now: datetime) -> bool:
        """Whether it keeps a place for what may come to count, though its window may have closed."""
        return self.counted_at is None and self.is_busy(now)

    def is_busy(self, now: datetime) -> bool:
        """Whether a request of it is under way, or ended within the last minute."""
        return self.held_until is not None and self.held_until > now

    def is_sending(self, now: datetime) -> bool:
        """Whether a request of it is under way; one of a process that died is not."""
        return self.open_requests > 0 and self.is_busy(now)

    def has_place(self, now: datetime) -> bool:
        """Whether its client needs nobody's leave to go on: it counts already, or its place is kept."""
        return self.counted_at is not None or self.is_held(now)

    def counts_since(self, moment: datetime | None) -> bool:
        return self.counted_at is not None and (moment is None or self.counted_at > moment)


class Listening(models.Model):
    """How much of a grant's file was played on a page within one window; the next begins it anew.

    Playing is no download and uses none up, so this is what it is bounded by.
    """

    grant = models.OneToOneField(
        UserAsset, primary_key=True, on_delete=models.PROTECT, related_name="listening"
    )
    started_at = models.DateTimeField()
    sent_bytes = models.PositiveBigIntegerField(
        default=0, help_text=_("Sent, or about to be; what was not sent in the end is taken off.")
    )

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.grant_id}, {self.sent_bytes} bytes"


class DownloadDay(models.Model):
    """How many downloads counted on a day that is over, of one product or, without one, in all.

    Worked out from the rows above and kept so that nobody adds them up again: see `downloads.figures`.
    """

    time_zone = models.CharField(max_length=100)
    day = models.DateField()
    product = models.ForeignKey(
        "catalog_pages.ProductPage", null=True, on_delete=models.CASCADE, related_name="+"
    )
    downloads = models.PositiveIntegerField()

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=("time_zone", "day"),
                condition=Q(product__isnull=True),
                name="download_day_once",
            ),
            models.UniqueConstraint(
                fields=("time_zone", "day", "product"), name="download_day_once_per_product"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.downloads}"


class LedgerIsAppendOnly(Exception):
    """Somebody tried to rewrite history."""


class LedgerQuerySet(models.QuerySet["AccessEvent"]):
    """Rows are added, and nothing else happens to them."""

    def update(self, **kwargs: Any) -> int:
        raise LedgerIsAppendOnly("Write a new event instead.")

    def delete(self) -> tuple[int, dict[str, int]]:
        raise LedgerIsAppendOnly("The ledger keeps what happened.")


class AccessEvent(models.Model):
    """One line of the append-only ledger that answers "why can't I download this?"."""

    class Kind(models.TextChoices):
        GRANTED = "granted"
        REVOKED = "revoked"
        RESTORED = "restored"
        LINK_ISSUED = "link_issued"
        DOWNLOADED = "downloaded"
        DENIED = "denied"
        LIMIT_RESET = "limit_reset"
        NOT_COUNTED = "not_counted"  # what was written as downloaded before, and came to nothing
        LISTENED = "listened"

    grant = models.ForeignKey(UserAsset, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    code = models.CharField(
        max_length=40, blank=True, help_text=_("The stable code of a denial or cause.")
    )
    asset = models.ForeignKey(
        "catalog_pages.DigitalAsset",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("The version asked for, where the event is about one."),
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    at = models.DateTimeField(auto_now_add=True)

    objects = LedgerQuerySet.as_manager()

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["at", "pk"]
        indexes = [
            models.Index(fields=("grant", "at"), name="access_event_by_grant"),
            models.Index(fields=("at", "id"), name="access_event_by_time"),
            models.Index(fields=("kind", "at"), name="access_event_by_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.grant_id} {self.kind} {self.code}".strip()

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise LedgerIsAppendOnly("Write a new event instead.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise LedgerIsAppendOnly("The ledger keeps what happened.")
