"""What was bought is for whoever bought it: who may ask at all, and what they hold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from downloads.models import UserAsset, UserAssetQuerySet
from orders.services.shopper import Shopper, held_by, shopper_with
from store_api.caller import ORDER_TOKEN, browser_session, opened_of, user_of
from store_api.permissions import PersonMissing, ScopedViewMixin, access_token


class IsBuyer(BasePermission):
    """Somebody who is signed in, brings an `X-Order-Token`, or bought as a guest in this browser."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if user_of(request) is not None or ORDER_TOKEN in request.headers:
            return True
        if access_token(request) is not None:
            raise PersonMissing
        return browser_session(request) is not None and _opened(request).is_known


class BuyersViewMixin(ScopedViewMixin):
    """Every view of what was bought: no cache keeps its answers."""

    permission_classes: Any = [IsBuyer]
    also_opened_by: Any = [{"orderToken": []}]  # store_api/schema.py

    def finalize_response(self, *args: Any, **kwargs: Any) -> Response:
        response: Response = super().finalize_response(*args, **kwargs)  # type: ignore[misc]
        response["Cache-Control"] = "no-store"
        return response


def rights_of(request: Request) -> UserAssetQuerySet:
    """The rights that the caller holds. Ownership is a filter: all others do not exist.

    Signed in they are the account's, with those of an `X-Order-Token` that was brought along; else what
    the token, or this browser's session, opens.
    """
    user = user_of(request)
    if user is None:
        return held_by(_opened(request))
    if ORDER_TOKEN in request.headers:
        return held_by(replace(_opened(request), user=user))
    return UserAsset.objects.filter(user=user)


def _opened(request: Request) -> Shopper:
    return shopper_with(user=None, opened=opened_of(request))
