"""What the OpenAPI document says of operations that are done once for each key."""

from __future__ import annotations

from typing import Any

from drf_spectacular.plumbing import build_examples_list
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter

from catalog_pages.errors import DomainError
from store_api.idempotency.errors import KeyInUse, KeyReused
from store_api.idempotency.keys import HEADER, PATTERN
from store_api.idempotency.sealing import REPLAYED
from store_api.problems import MEDIA_TYPE, problem

EXAMPLE = "8e03978e-40d5-43dd-bc93-6894a57f9324"
SUCCESSES = ["200", "201", "202", "204"]
REFUSED_AS: dict[str, type[DomainError]] = {"409": KeyInUse, "422": KeyReused}
REFUSALS = ["400", "409", "413", "422"]  # 413: a body is read even where the view needs none


def is_idempotent(view: Any, method: str) -> bool:
    return method in getattr(view, "idempotent_methods", ())


def idempotency_parameters(view: Any, method: str) -> list[OpenApiParameter]:
    """The request's header, and what answers carry; nothing for views without the mixin."""
    if not is_idempotent(view, method):
        return []
    return [_key(required=view.idempotency_required), _replayed(), _retry_after()]


class IdempotentSchemaMixin:
    """Among the bases of the schema class that says every error as a problem, before the library's."""

    view: Any
    method: str

    def get_override_parameters(self) -> list[Any]:
        inherited: list[Any] = super().get_override_parameters()  # type: ignore[misc]
        return [*inherited, *idempotency_parameters(self.view, self.method)]

    def _get_response_bodies(self, direction: str = "response") -> dict[str, Any]:
        found: dict[str, Any] = super()._get_response_bodies(direction=direction)  # type: ignore[misc]
        if direction != "response" or not is_idempotent(self.view, self.method):
            return found
        return {code: self._refusal(code) for code in REFUSALS if code not in found} | found

    def _refusal(self, code: str) -> Any:
        serializer = self._get_error_response_serializer(code)  # type: ignore[attr-defined]
        return self._get_response_for_code(serializer, code)  # type: ignore[attr-defined]

    def _get_examples(
        self,
        serializer: Any,
        direction: str,
        media_type: str,
        status_code: str | None = None,
        extras: Any = None,
    ) -> Any:
        """A view's own, or else what is refused about the key."""
        found = super()._get_examples(serializer, direction, media_type, status_code, extras)  # type: ignore[misc]
        refused_as = REFUSED_AS.get(status_code or "")
        if found or refused_as is None or media_type != MEDIA_TYPE:
            return found
        if not is_idempotent(self.view, self.method):
            return found
        body = problem(refused_as.status, refused_as.code, refused_as.message)
        return build_examples_list([OpenApiExample(refused_as.code, value=body)])


def _key(*, required: bool) -> OpenApiParameter:
    return OpenApiParameter(
        HEADER,
        {"type": "string", "pattern": PATTERN},
        OpenApiParameter.HEADER,
        required=required,
        description="Text of your own, new for each thing that you want done. Sent again with the same body "
        "within a day, it is not done again: the answer is the first one, with `Idempotent-Replayed: true`. "
        "With another body or at another address it is refused (422), and while the first is being worked "
        "on as well (409). Quotes around it do not count.",
    )


def _replayed() -> OpenApiParameter:
    return OpenApiParameter(
        REPLAYED,
        OpenApiTypes.STR,
        OpenApiParameter.HEADER,
        enum=["true"],
        description="This is the stored answer of an earlier request with the same `Idempotency-Key`.",
        response=SUCCESSES,
    )


def _retry_after() -> OpenApiParameter:
    return OpenApiParameter(
        "Retry-After",
        {"type": "integer", "minimum": 1},
        OpenApiParameter.HEADER,
        description="Seconds, where waiting helps.",
        response=["409"],
    )
