"""One page with everything on it, for who works on the shop."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages import constants
from django.contrib.messages.storage.base import Message
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from site_config.styleguide import tokens
from site_config.styleguide.samples_cart import cart_samples
from site_config.styleguide.samples_catalogue import catalogue_samples
from site_config.styleguide.samples_orders import order_samples

# In the order of the page; each is a template `_NAME.html` beside it.
SECTIONS = {
    "colours": "Colours",
    "type": "Type and space",
    "icons": "Icons",
    "buttons": "Buttons and links",
    "forms": "Forms",
    "notices": "Notices and statuses",
    "navigation": "Navigation",
    "searching": "Search",
    "cards": "Cards",
    "lists": "Lists",
    "listening": "Listening",
    "buying": "Buying",
    "cart": "Cart",
    "paying": "Paying",
    "after-paying": "After paying",
    "purchases": "Purchases",
    "giving": "Gifts",
    "orders": "Orders",
    "empty": "Empty places",
    "problems": "What went wrong",
}


class SampleForm(forms.Form):
    """One field of each kind."""

    name = forms.CharField(help_text="As it stands on the receipt.")
    email = forms.EmailField()
    country = forms.ChoiceField(choices=[("gb", "United Kingdom"), ("de", "Germany")])
    words = forms.CharField(widget=forms.Textarea(attrs={"rows": 2}), required=False)
    closed = forms.CharField(disabled=True, required=False, initial="Not to be changed")
    letters = forms.BooleanField(required=False)


def sample_form() -> SampleForm:
    """With one field that was filled in wrongly, and an error of its own."""
    data = {"guide-name": "Ann", "guide-email": "ann", "guide-country": "de", "guide-letters": "on"}
    form = SampleForm(data, prefix="guide")
    form.add_error(None, "Something about these fields does not fit together.")
    return form


def sample_messages() -> list[Message]:
    return [
        Message(constants.SUCCESS, "The receipt is on its way."),
        Message(constants.WARNING, "This order waits for its payment."),
        Message(constants.ERROR, "The payment did not go through."),
        Message(constants.INFO, "You are signed in already."),
    ]


@never_cache
@require_safe
def guide(request: HttpRequest) -> HttpResponse:
    """No query but for the frame, and for what a component asks for by itself."""
    context: dict[str, Any] = {
        "sections": SECTIONS,
        "colours": tokens.colours(),
        "icons": tokens.icons(),
        "guide_form": sample_form(),
        "guide_messages": sample_messages(),
        "catalogue": catalogue_samples(),
        "buying": cart_samples() | order_samples(),
        "nobody": AnonymousUser(),
        "guest_link_days": settings.GUEST_LINK_DAYS,
    }
    return render(request, "styleguide/page.html", context)
