"""On the admin's home, for whoever may see orders: the search that most of a desk's day begins with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.forms import Media
from django.http import HttpRequest
from django.urls import reverse
from wagtail.admin.ui.components import Component

from orders.admin.base import SEARCH_HINT


class FindPanel(Component):
    name = "find-order"
    template_name = "orders/admin/find_panel.html"
    order = 40

    @property
    def media(self) -> Media:
        return Media(css={"all": ["orders/admin/find.css"]})

    def get_context_data(self, parent_context: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return {"address": reverse("order_desk:index"), "hint": SEARCH_HINT}


def add_find_panel(request: HttpRequest, panels: list[Any]) -> None:
    if request.user.has_perm("orders.view_order"):
        panels.insert(0, FindPanel())
