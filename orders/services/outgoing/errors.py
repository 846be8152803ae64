"""What this package refuses, and why a webhook was not answered."""

from __future__ import annotations

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from catalog_pages.errors import DomainError


class WebhookUrlInvalid(DomainError):
    code = "webhook_url_invalid"
    status = 400
    message = _(
        "Enter an https address with a host name, such as https://example.com/hooks. It may have a "
        "port from 1000 to 59999, and neither a user name nor a fragment."
    )


class WebhookEventsInvalid(DomainError):
    code = "webhook_events_invalid"
    status = 400
    message = _("Choose at least one of the types of event.")


class WebhookEndpointsFull(DomainError):
    code = "webhook_endpoints_full"

    def __init__(self, most: int) -> None:
        super().__init__(
            gettext("There are {most} endpoints already. Delete one first.").format(most=most)
        )


class WebhookDeliveryWaits(DomainError):
    code = "webhook_delivery_waits"
    message = _("This is waiting to be sent already.")


class WebhookEndpointOff(DomainError):
    code = "webhook_endpoint_off"
    message = _("This endpoint is switched off. Switch it on first.")


class WebhookSecretChanged(DomainError):
    code = "webhook_secret_changed"
    message = _("This endpoint was given another secret at the same moment. Look, then ask again.")


class NotSent(Exception):
    """No answer came. `code` is stable; `sentence` is for people and holds nothing that was sent."""

    def __init__(self, code: str, sentence: str) -> None:
        self.code = code
        self.sentence = sentence
        super().__init__(f"{code}: {sentence}")
