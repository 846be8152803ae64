"""Which of its forms an answer has, by what the client accepts (RFC 9110, section 12.5.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.utils.mediatypes import _MediaType

WEIGHT = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")


class WeighedNegotiation(DefaultContentNegotiation):
    """REST framework's, with weights: of the ranges that cover a form the narrowest counts, and 0 refuses."""

    def get_accept_list(self, request: Any) -> list[str]:
        """An empty header asks for as little as none."""
        return super().get_accept_list(request) if request.headers.get("accept") else ["*/*"]

    def select_renderer(
        self, request: Any, renderers: Iterable[Any], format_suffix: str | None = None
    ) -> tuple[Any, str]:
        """Raises NotAcceptable."""
        ranges = [_MediaType(accepted) for accepted in self.get_accept_list(request)]
        renderers = list(renderers)
        found = [
            (renderer, best) for renderer in renderers if (best := _narrowest(renderer, ranges))
        ]
        wanted = [(renderer, best) for renderer, best in found if weight(best)]
        if not wanted:
            raise NotAcceptable(available_renderers=renderers)
        renderer, best = max(wanted, key=lambda one: (weight(one[1]), one[1].precedence))
        details = [f"{name}={value}" for name, value in best.params.items() if name != "q"]
        return renderer, "; ".join([renderer.media_type, *details])


def weight(accepted: Any) -> int:
    """From 0 to 1000, in thousandths; what is no weight says nothing, as if it were not there."""
    written = accepted.params.get("q", "1")
    if not WEIGHT.fullmatch(written):
        return 1000
    whole, _, rest = written.partition(".")
    return int(whole + rest.ljust(3, "0"))


def _narrowest(renderer: Any, ranges: Sequence[Any]) -> Any | None:
    form = _MediaType(renderer.media_type)
    covering = [one for one in ranges if form.match(one) and not _refuses_a_variant(one)]
    return max(covering, key=lambda one: one.precedence, default=None)


def _refuses_a_variant(accepted: Any) -> bool:
    """`application/json; version=2; q=0` says nothing about plain JSON."""
    return not weight(accepted) and len(accepted.params) > 1
