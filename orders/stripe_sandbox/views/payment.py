"""The buyer's test payment page, which stands in for the page at Stripe."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods

from orders.form_targets import allow_form_to
from orders.stripe_sandbox import actions, checkout, totals
from orders.stripe_sandbox.common import Json
from orders.stripe_sandbox.constants import TAX_PERCENT
from orders.stripe_sandbox.currencies import display
from orders.stripe_sandbox.errors import ApiError, StateError
from orders.stripe_sandbox.models import SandboxObject
from orders.stripe_sandbox.params import Email
from orders.stripe_sandbox.views.guards import SeeOther, sandbox_only

_COUNTRIES = {"GB": "United Kingdom", "DE": "Germany", "JP": "Japan", "US": "United States"}
_OUTCOMES: dict[str, Callable[..., Json]] = {
    "pay": actions.pay,
    "decline": actions.decline,
    "delay": actions.delay,
}


@sandbox_only
@require_http_methods(["GET", "HEAD", "POST"])
def pay(request: HttpRequest, session_id: str) -> HttpResponse:
    """Show the session, or do what the buyer chose and send the browser on."""
    actions.expire_due()
    session = get_object_or_404(SandboxObject, kind="checkout.session", object_id=session_id)
    if request.method != "POST":
        return _may_lead_to_apps(render(request, "stripe_sandbox/pay.html", _payment(session)))
    try:
        email = _typed_email(request, session)
    except ApiError:
        problem = "Enter an email address such as name@example.com."
        page = {**_payment(session), "email_problem": problem}
        shown = render(request, "stripe_sandbox/pay.html", page, status=400)
        return _may_lead_to_apps(shown)
    outcome, country = request.POST.get("outcome", ""), request.POST.get("country")
    return _after(request, _carry_out(outcome, session, email, country))


def _may_lead_to_apps(page: HttpResponse) -> HttpResponse:
    """This form ends where an app wants its buyer back; Stripe's own page needs no leave of ours."""
    return allow_form_to(page, settings.CHECKOUT_RETURN_URLS)


def _typed_email(request: HttpRequest, session: SandboxObject) -> str | None:
    """The address that the buyer typed; None when the shop gave one, or none is needed yet."""
    if session.data["customer_email"] or request.POST.get("outcome") in ("expire", "country"):
        return None
    return Email().read(request.POST.get("email", ""), "email")


def _carry_out(
    outcome: str, session: SandboxObject, email: str | None, country: str | None
) -> Json:
    """What the session is afterwards; unchanged when it is no longer open to this."""
    try:
        if outcome == "expire":
            return actions.expire(session.object_id)
        if outcome == "country":
            return actions.choose_country(session.object_id, country=country or "")
        if outcome in _OUTCOMES:
            return _OUTCOMES[outcome](session.object_id, email=email, country=country)
    except StateError:
        session.refresh_from_db()
    data: Json = session.data
    return data


def _after(request: HttpRequest, session: Json) -> HttpResponse:
    if session["status"] == "complete":
        return SeeOther(success_url(session))
    return SeeOther(request.path)


def success_url(session: Json) -> str:
    """Where the buyer goes after paying, with the session's id in its place."""
    url: str = session["success_url"]
    return url.replace("{CHECKOUT_SESSION_ID}", session["id"])


def _payment(row: SandboxObject) -> Json:
    session, currency = row.data, row.data["currency"]
    items = _as_the_buyer_sees_them(row)
    amounts = totals.summary(items)
    details = amounts["total_details"]
    return {
        "session": session,
        "countries": _countries(row),
        "lines": [
            {
                "text": line["description"],
                "quantity": line["quantity"],
                "amount": display(line["amount_subtotal"], currency),
            }
            for line in items
        ],
        "discount": _display_or_none(details["amount_discount"], currency),
        "tax": _display_or_none(details["amount_tax"], currency),
        "is_tax_included": items[0]["price"]["tax_behavior"] == "inclusive",
        "total": display(amounts["amount_total"], currency),
        "is_free": amounts["amount_total"] == 0,
        "problem": _last_problem(session),
        "back_url": _back_url(session),
    }


def _as_the_buyer_sees_them(row: SandboxObject) -> list[Json]:
    """The lines; with the tax of the country that is shown, even before it was chosen."""
    items: list[Json] = row.hidden["line_items"]
    if row.data["status"] == "open" and row.data["automatic_tax"]["enabled"]:
        return totals.with_tax(items, checkout.country_of(row))
    return items


def _countries(row: SandboxObject) -> list[Json]:
    """What the buyer can choose from; nothing where no tax depends on it."""
    if not row.data["automatic_tax"]["enabled"]:
        return []
    here = checkout.country_of(row)
    return [
        {"code": code, "name": name, "percent": TAX_PERCENT[code], "is_chosen": code == here}
        for code, name in _COUNTRIES.items()
    ]


def _display_or_none(amount: int, currency: str) -> str | None:
    return display(amount, currency) if amount else None


def _last_problem(session: Json) -> str | None:
    """Why the last attempt failed, in Stripe's words."""
    if session["status"] != "open" or not session["payment_intent"]:
        return None
    intent = SandboxObject.objects.get(object_id=session["payment_intent"]).data
    error = intent["last_payment_error"]
    return error["message"] if error else None


def _back_url(session: Json) -> str | None:
    return success_url(session) if session["status"] == "complete" else session["cancel_url"]
