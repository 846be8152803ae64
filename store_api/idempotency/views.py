"""The mixin by which a view's creates are done once for each key."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any

from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import is_success

from store_api.caller import ORDER_TOKEN, browser_session, opened_of
from store_api.idempotency.claims import answer_keep, key_claim, key_release
from store_api.idempotency.keys import asked_of, key_of
from store_api.idempotency.sealing import Answer

Handler = Callable[..., HttpResponseBase]


class IdempotentCreateMixin:
    """For API views and viewsets, after ScopedViewMixin and before DRF's own classes.

    Who calls, what they may, and how often they ask is looked at first, on every repetition too. Only
    what succeeded is stored. Anything else frees the key, a 500 as well: services guard by constraints of
    their own what must not be made twice. So does an answer that is no DRF Response, as one that streams.
    """

    idempotent_methods: tuple[str, ...] = ("POST",)
    idempotency_required = False

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """The last step before the handler is called, and inside of what turns errors into problems."""
        super().initial(request, *args, **kwargs)  # type: ignore[misc]
        name = str(request.method).lower()
        handler = getattr(self, name, None)
        if request.method in self.idempotent_methods and handler is not None:
            setattr(self, name, partial(self.once, handler))

    def once(
        self, handler: Handler, request: Request, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        key = key_of(request, required=self.idempotency_required)
        if key is None:
            return handler(request, *args, **kwargs)
        asked = asked_of(request, key)
        claim = key_claim(asked, now=timezone.now())
        if isinstance(claim, Answer):
            return _again(claim, request)
        with ExitStack() as undo:
            undo.callback(key_release, claim)
            response = handler(request, *args, **kwargs)
            if isinstance(response, Response) and is_success(response.status_code):
                answer = Answer.of(response)
                undo.pop_all()
                _keep(claim, answer, request, key)
        return response


def _keep(claim: int, answer: Answer, request: Request, key: str) -> None:
    """For whoever asked. Who came with nothing and got a session by this is known by that from now on;
    others at the same address are not them."""
    session = browser_session(request)
    if session is not None and session.session_key is None and session.modified:
        session.save()  # which gives it its key
    answer_keep(claim, asked_of(request, key), answer)


def _again(answer: Answer, request: Request) -> Response:
    """An order's token may have ended or been claimed since; what it opened is closed then."""
    if ORDER_TOKEN in request.headers:
        opened_of(request)
    return answer.again()
