"""How often tokens may be asked for, counted in the cache that all processes share.

Every wrong secret costs a slow hash, and a secret is 256 bits: the limits protect the machine.
Nobody can lock an app out in its name: whoever has not failed in this hour is let in, however often
others did; of an app's own limit only what it was given for itself is taken, and what it is given for
a person counts for that person.
"""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse

from orders.throttles import (
    HOUR,
    MINUTE,
    client_of,
    seconds_left,
    throttle_hit,
    throttle_is_full,
    throttle_note,
)

ASKED_BY_ADDRESS_A_MINUTE = 120
GIVEN_TO_CLIENT_AN_HOUR = 5000
GIVEN_FOR_PERSON_AN_HOUR = 120
WRONG_TOKENS_A_MINUTE = 60
WRONG_BY_ADDRESS_AN_HOUR = 20
WRONG_BY_CLIENT_AN_HOUR = 100


def wait_before_asking(request: HttpRequest, *, client_id: str) -> int:
    """Count one request for a token; seconds to wait when it is one too many, else 0."""
    address = client_of(request)
    if _has_failed_too_often(address, client_id):
        return seconds_left(HOUR)
    within = throttle_hit(
        scope="oauth-asked", key=address, limit=ASKED_BY_ADDRESS_A_MINUTE, seconds=MINUTE
    )
    return 0 if within else seconds_left(MINUTE)


def wait_for_more(*, client_id: str, user_id: int | None) -> int:
    """Seconds until this app may be given another token, for this person or for itself; 0: now."""
    full = throttle_is_full(
        scope="oauth-given", key=_giving(client_id, user_id), limit=_most(user_id)
    )
    return seconds_left(HOUR) if full else 0


def note_given(*, client_id: str, user_id: int | None) -> None:
    """Only of an app that has shown to be this one."""
    throttle_hit(scope="oauth-given", key=_giving(client_id, user_id), limit=_most(user_id))


def wait_after_wrong_token(request: HttpRequest) -> int:
    """Count one access token that opened nothing; seconds to wait when it is one too many, else 0."""
    within = throttle_hit(
        scope="oauth-wrong-token",
        key=client_of(request),
        limit=WRONG_TOKENS_A_MINUTE,
        seconds=MINUTE,
    )
    return 0 if within else seconds_left(MINUTE)


def _giving(client_id: str, user_id: int | None) -> str:
    return f"{client_id} {user_id or ''}"


def _most(user_id: int | None) -> int:
    return GIVEN_TO_CLIENT_AN_HOUR if user_id is None else GIVEN_FOR_PERSON_AN_HOUR


def note_wrong_secret(request: HttpRequest, *, client_id: str) -> None:
    throttle_note(scope="oauth-wrong-address", key=client_of(request))
    throttle_note(scope="oauth-wrong-client", key=client_id)


def _has_failed_too_often(address: str, client_id: str) -> bool:
    if _address_failed(address, WRONG_BY_ADDRESS_AN_HOUR):
        return True
    many = throttle_is_full(
        scope="oauth-wrong-client", key=client_id, limit=WRONG_BY_CLIENT_AN_HOUR
    )
    return many and _address_failed(address, 1)


def _address_failed(address: str, times: int) -> bool:
    return throttle_is_full(scope="oauth-wrong-address", key=address, limit=times)


def too_many(seconds: int) -> JsonResponse:
    """429 as an OAuth error, so that clients' libraries can read it."""
    body = {
        "error": "temporarily_unavailable",
        "error_description": "That were many requests. Wait as long as Retry-After says.",
    }
    return JsonResponse(
        body, status=429, headers={"Retry-After": str(seconds), "Cache-Control": "no-store"}
    )
