"""The account of whoever is signed in: what it is, all that is kept about it, and its end.

Closed to third parties' apps: what they may know of a person stands at `/identity/o/api/userinfo`.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from allauth.account.internal.flows.reauthentication import is_reauthentication_required
from allauth.account.models import EmailAddress
from allauth.mfa.utils import is_mfa_enabled
from django.contrib.auth import logout
from django.contrib.sessions.backends.base import SessionBase
from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from catalog_pages.errors import DomainError
from downloads.holders import normalise_email
from orders.models import Order
from orders.services.claims import account_close
from orders.services.personal_data import personal_data
from orders.services.purchases import purchased_items
from orders.throttles import throttle_hit
from store_api.permissions import IsPerson, ScopedViewMixin
from store_api.schema import ProblemSerializer
from store_api.throttles import TooManyRequests
from store_api.v1.serializers.account import (
    MeSerializer,
    PersonalDataSerializer,
    personal_data_json,
)
from store_api.v1.serializers.account_examples import CLOSING_REFUSED, EXPORT, ME

EXPORTS_AN_HOUR = 30
NO_STORE = {"Cache-Control": "no-store"}
DISPOSITION = 'attachment; filename="personal-data.json"'


class ReauthenticationRequired(DomainError):
    code = "reauthentication_required"
    status = 403
    message = _(
        "Give your password again first: apps at /_allauth/app/v1/auth/reauthenticate, browsers at "
        "/accounts/reauthenticate/. Then repeat this within five minutes."
    )


class AccountViewBase(ScopedViewMixin, ViewSet):
    permission_classes = [IsPerson]
    scope = None


@extend_schema(tags=["account"])
class MeViewSet(AccountViewBase):
    """The account itself."""

    @extend_schema(
        operation_id="me_retrieve",
        summary="Who is signed in",
        description="The account that the session token or the browser's session belongs to. Third parties' "
        "apps ask `/identity/o/api/userinfo` instead.",
        responses=MeSerializer,
        examples=[ME],
    )
    def retrieve(self, request: Request) -> Response:
        return Response(MeSerializer(_about(request.user)).data, headers=NO_STORE)

    @extend_schema(
        operation_id="me_close",
        summary="Close the account for good",
        description="Nobody signs in with it again, and nothing that it bought can be fetched any more. "
        "Every session, session token, app's token and link of it ends. Orders and payments are kept for "
        "as long as the law wants them kept; the address is free for a new account, which gets nothing of "
        "this one.\n\n"
        "The password must have been given again just before: `POST /_allauth/app/v1/auth/reauthenticate` "
        'with `{"password": "…"}` and the same `X-Session-Token`, at most five minutes ago. Without that '
        "the answer is 403 with the code `reauthentication_required`, and nothing is closed. A payment that "
        "is still on its way, and accounts that run the shop, are refused with 409.",
        responses={204: None, 403: ProblemSerializer, 409: ProblemSerializer},
        examples=CLOSING_REFUSED,
    )
    def destroy(self, request: Request) -> Response:
        if _has_to_reauthenticate(request):
            raise ReauthenticationRequired
        account_close(user=request.user)
        _end_session(request)
        return Response(status=status.HTTP_204_NO_CONTENT, headers=NO_STORE)


@extend_schema(tags=["account"])
class ExportViewSet(AccountViewBase):
    """All personal data."""

    @extend_schema(
        operation_id="me_export",
        summary="All that the shop keeps about the account",
        description="A copy of the account's personal data as one JSON file (GDPR, articles 15 and 20): the "
        "account, what it bought, paid and redeemed, which files it fetched, and which letters were written "
        "to it; of somebody who helps to run the shop, the webhook endpoints they made as well. No secrets, "
        "and nothing about other people but what the account wrote down itself, such as the address that a "
        "gift was to be mailed to. `purchase` and `order_line` are ids of `order_lines` and of "
        "`purchases/`.\n\n"
        "The answer is sent while it is read and can be long; it ends with its last bracket, so one that "
        "broke off is no JSON. Thirty an hour for each account.",
        responses=PersonalDataSerializer,
        examples=[EXPORT],
    )
    def retrieve(self, request: Request) -> StreamingHttpResponse:
        return export_of(request.user, has_body=request.method != "HEAD")


def export_of(user: Any, *, has_body: bool = True) -> StreamingHttpResponse:
    """All personal data of an account as one file, for the API and for the page. Raises TooManyRequests."""
    if not throttle_hit(scope="personal-data", key=str(user.pk), limit=EXPORTS_AN_HOUR):
        raise TooManyRequests
    pieces: Iterator[str] = iter(())
    if has_body:
        profile, tables = personal_data(user=user)
        pieces = personal_data_json(timezone.now(), profile, tables)
    response = StreamingHttpResponse(pieces, content_type="application/json", headers=NO_STORE)
    response["Content-Disposition"] = DISPOSITION
    return response


def _about(user: Any) -> dict[str, Any]:
    addresses = list(EmailAddress.objects.filter(user=user).order_by("-primary", "pk"))
    verified = {normalise_email(address.email) for address in addresses if address.verified}
    return {
        "email": user.email,
        "email_verified": normalise_email(user.email) in verified,
        "addresses": addresses,
        "date_joined": user.date_joined,
        "has_second_factor": is_mfa_enabled(user),
        "is_staff": user.is_staff,
        "order_count": Order.objects.owned_by(user).count(),
        "purchase_count": purchased_items(user).count(),
    }


def _has_to_reauthenticate(request: Request) -> bool:
    """As the page asks it, of the session that signs this request in: the token's, or the browser's."""
    asked = copy.copy(request._request)
    asked.user = request.user
    if isinstance(request.auth, SessionBase):
        asked.session = request.auth
    return is_reauthentication_required(asked, app="")


def _end_session(request: Request) -> None:
    if isinstance(request.auth, SessionBase):
        request.auth.flush()
    else:
        logout(request._request)
