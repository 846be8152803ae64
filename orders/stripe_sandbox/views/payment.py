"""The buyer's test payment page, which stands in for the page at Stripe."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods

from orders.stripe_sandbox import actions
from orders.stripe_sandbox.common import Json
from orders.stripe_sandbox.constants import TEST_TAX_PERCENT
from orders.stripe_sandbox.currencies import display
from orders.stripe_sandbox.errors import ApiError, StateError
from orders.stripe_sandbox.models import SandboxObject
from orders.stripe_sandbox.params import Email
from orders.stripe_sandbox.views.guards import SeeOther, sandbox_only

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
        return render(request, "stripe_sandbox/pay.html", _payment(session))
    try:
        email = _typed_email(request, session)
    except ApiError:
        problem = "Enter an email address such as name@example.com."
        page = {**_payment(session), "email_problem": problem}
        return render(request, "stripe_sandbox/pay.html", page, status=400)
    return _after(request, _carry_out(request.POST.get("outcome", ""), session, email))


def _typed_email(request: HttpRequest, session: SandboxObject) -> str | None:
    """The address that the buyer typed; None when the shop gave one, or for leaving."""
    if session.data["customer_email"] or request.POST.get("outcome") == "expire":
        return None
    return Email().read(request.POST.get("email", ""), "email")


def _carry_out(outcome: str, session: SandboxObject, email: str | None) -> Json:
    """What the session is afterwards; unchanged when it is no longer open to this."""
    try:
        if outcome == "expire":
            return actions.expire(session.object_id)
        if outcome in _OUTCOMES:
            return _OUTCOMES[outcome](session.object_id, email=email)
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
    details = session["total_details"]
    tax = session["automatic_tax"]
    return {
        "session": session,
        "lines": [
            {
                "text": line["description"],
                "quantity": line["quantity"],
                "amount": display(line["amount_subtotal"], currency),
            }
            for line in row.hidden["line_items"]
        ],
        "discount": _display_or_none(details["amount_discount"], currency),
        "tax": _display_or_none(details["amount_tax"], currency),
        "tax_to_come": TEST_TAX_PERCENT if tax["status"] == "requires_location_inputs" else None,
        "total": display(session["amount_total"], currency),
        "is_free": session["amount_total"] == 0,
        "problem": _last_problem(session),
        "back_url": _back_url(session),
    }


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
