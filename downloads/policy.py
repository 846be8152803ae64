"""The one function that decides whether a download is allowed, and says why not."""

from __future__ import annotations

from dataclasses import dataclass

from downloads.models import Revocation, UserAsset

SENTENCES = {
    Revocation.Cause.REFUND: (
        "revoked_by_refund",
        "This was refunded, so its files are no longer available.",
    ),
    Revocation.Cause.DISPUTE: (
        "suspended_by_dispute",
        "Your bank is looking into this payment. The files come back if it is settled in the shop's favour.",
    ),
    Revocation.Cause.STAFF: (
        "revoked_by_staff",
        "The shop has taken these files back. Write to us if you wonder why.",
    ),
    Revocation.Cause.ACCOUNT: ("account_closed", "The account that owned these files was closed."),
}


@dataclass(frozen=True)
class Decision:
    """`code` is stable and empty when allowed; `message` is the sentence for the holder."""

    allowed: bool
    code: str = ""
    message: str = ""


def decide(grant: UserAsset) -> Decision:
    """May the holder fetch this now? Reads the standing revocations; prefetch them for lists."""
    for revocation in grant.revocations.all():
        if revocation.lifted_at is None:
            code, message = SENTENCES[Revocation.Cause(revocation.cause)]
            return Decision(False, code, message)
    return Decision(True)
