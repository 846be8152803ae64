"""On the admin's home, for whoever may see what sold: the last 30 days, and what needs a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.forms import Media
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import ngettext
from wagtail.admin.ui.components import Component

from orders.admin.figures_chart import Chart
from orders.admin.figures_display import Card, cards_of, charts_of, downloads_of
from orders.admin.figures_view import RIGHT
from orders.models import Dispute, OrderAnomaly, OutboxMail
from orders.services.figures.asking import Asked
from orders.services.figures.periods import DAY, last_days
from orders.services.figures.report import CurrencyFigures, figures

SHOWN = 4  # net revenue, revenue, refunds and lost disputes; orders follow
UNDECIDED = ("needs_response", "under_review", "warning_needs_response", "warning_under_review")


@dataclass(frozen=True)
class Matter:
    """Something that waits for a person, and where it is dealt with."""

    words: str
    url: str


@dataclass(frozen=True)
class PanelSection:
    code: str
    cards: list[Card]
    chart: Chart


class FiguresPanel(Component):
    name = "figures"
    template_name = "orders/admin/figures_panel.html"
    order = 50

    @property
    def media(self) -> Media:
        return Media(css={"all": ["orders/admin/figures.css"]})

    def get_context_data(self, parent_context: Mapping[str, Any] | None = None) -> dict[str, Any]:
        user = (parent_context or {})["request"].user
        asked = Asked(period=last_days(30), grouping=DAY)
        found = figures(asked, with_lists=False)
        own_first = sorted(found.currencies, key=lambda one: one.code != settings.STRIPE_CURRENCY)
        return {
            "sections": [section_of(one, asked) for one in own_first],
            "downloads": downloads_of(found),
            "is_complete": found.is_complete,
            "matters": matters(user),
            "report_url": reverse("figures"),
        }


def section_of(one: CurrencyFigures, asked: Asked) -> PanelSection:
    cards = cards_of(one.now, one.before, one.code, asked)
    return PanelSection(one.code, cards[: SHOWN + 1], charts_of(one, asked)[0])


def matters(user: Any) -> list[Matter]:
    """Each is told to those who may see where it is dealt with."""
    found = []
    if user.has_perm("orders.view_orderanomaly"):
        number = OrderAnomaly.objects.filter(resolved_at=None).count()
        words = ngettext(
            "%(number)s thing needs attention", "%(number)s things need attention", number
        )
        found.append((number, words, reverse("order_anomalies:index")))
    if user.has_perm("orders.view_dispute") and user.has_perm("orders.view_order"):
        number = Dispute.objects.filter(status__in=UNDECIDED).count()
        words = ngettext("%(number)s dispute is open", "%(number)s disputes are open", number)
        found.append((number, words, _disputes_url(user)))
    if user.has_perm("orders.view_outboxmail"):
        number = OutboxMail.objects.filter(status=OutboxMail.Status.FAILED).count()
        words = ngettext(
            "%(number)s letter was given up", "%(number)s letters were given up", number
        )
        found.append((number, words, f"{reverse('outbox_mail:index')}?status=failed"))
    return [Matter(words % {"number": number}, url) for number, words, url in found if number]


def _disputes_url(user: Any) -> str:
    """Every open dispute is on the list of what needs attention, with the order that it is about."""
    return reverse("order_anomalies:index") if user.has_perm("orders.view_orderanomaly") else ""


def add_figures_panel(request: HttpRequest, panels: list[Any]) -> None:
    if request.user.has_perm(RIGHT):
        panels.insert(0, FiguresPanel())
