"""Pages of a list that nobody counts to its end.

`COUNT(*)` reads every row. So a list counts so far and says "more than"; what lies beyond is reached by a
filter or a search, never by leafing.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.formats import number_format
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from wagtail.admin.paginator import WagtailPaginator


class CappedPaginator(WagtailPaginator):
    """Counts in the view's own words, where the model's are a programmer's, and up to `counted`."""

    counted = 1000

    @cached_property
    def rows_seen(self) -> int:
        """As many as there are, or one more than are counted."""
        if not isinstance(self.object_list, QuerySet):
            return len(self.object_list)
        return int(self.to_count(self.object_list.values("pk"))[: self.counted + 1].count())

    def to_count(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """In their order, so that the same index is walked that the page is read by."""
        return rows

    @cached_property
    def count(self) -> int:
        return min(self.rows_seen, self.counted)

    @property
    def is_cut(self) -> bool:
        return self.rows_seen > self.counted

    @cached_property
    def items_count_label(self) -> str:
        names = self.verbose_name if self.count == 1 else self.verbose_name_plural
        count = number_format(self.count, use_l10n=True, force_grouping=True)
        label = f"{count} {names}"
        return _("More than %(label)s") % {"label": label} if self.is_cut else label


class UnsortedPaginator(CappedPaginator):
    """For a list of some hundred thousand: to sort them all would cost more than to count them."""

    counted = 10_000

    def to_count(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.order_by()
