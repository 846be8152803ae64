"""Why the holder of a right gets no bytes now: each reason has a code, a sentence and a status."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from catalog_pages.errors import DomainError

if TYPE_CHECKING:
    from downloads.models import UserAsset


class NotNow(DomainError):
    """A refusal that passes by itself: `retry_after_s` says when to ask again."""

    status = 503
    retry_after_s = 300


class NotSignedIn(DomainError):
    code = "not_signed_in"
    status = 401
    message = _("Sign in to fetch your files.")


class LinkExpired(DomainError):
    code = "link_expired"
    status = 410
    message = _("This link has ended, as all links to files do. The file is still yours.")


class LinkClaimed(LinkExpired):
    message = _("This link has ended, because an account holds the file now. Sign in to fetch it.")


class AccessStopped(DomainError):
    """A revocation stands; code and sentence are those of its cause."""

    status = 403

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


class LimitReached(DomainError):
    """`grant` is the one whose limit it is: of an archive's files, one closes all."""

    code = "limit_reached"
    status = 403

    def __init__(self, limit: int, *, grant: UserAsset | None = None) -> None:
        self.grant = grant
        if limit == 1:
            words = gettext(
                "You have downloaded this once, which is as often as the shop allows. Write to us if "
                "you need it again."
            )
        elif limit == 2:
            words = gettext(
                "You have downloaded this twice, which is as often as the shop allows. Write to us if "
                "you need it again."
            )
        else:
            words = ngettext(
                "You have downloaded this {limit} time, which is as often as the shop allows. Write to "
                "us if you need it again.",
                "You have downloaded this {limit} times, which is as often as the shop allows. Write to "
                "us if you need it again.",
                limit,
            )
        super().__init__(words.format(limit=limit))


class DownloadUnderWay(NotNow):
    """What is left of the limit is being fetched by another program or network at this moment."""

    code = "download_under_way"
    status = 409
    message = _(
        "Another program or device is fetching this at the moment, and it is the last download that "
        "is left. Let it finish, or try again in a minute."
    )
    retry_after_s = 60

    def __init__(self, *, grant: UserAsset | None = None) -> None:
        self.grant = grant
        super().__init__()


class ListenedEnough(NotNow):
    """So much of the file was played within a day that it looks like copying; it may be downloaded."""

    code = "listened_enough"
    status = 429
    message = _(
        "This was played more often today than anybody listens. It plays again tomorrow, and you can "
        "still download it."
    )

    def __init__(self, *, retry_after_s: int) -> None:
        super().__init__()
        self.retry_after_s = retry_after_s


class FileMissing(NotNow):
    """The bytes are gone or damaged. Ours to mend, so it is a 503 and no 404."""

    code = "file_missing"
    message = _(
        "We cannot find this file in our storage. The fault is ours, we have been told, and the "
        "file is still yours."
    )
    retry_after_s = 3600


class StorageDown(NotNow):
    code = "storage_unavailable"
    message = _(
        "Our storage does not answer at the moment. The fault is ours, and nothing about your "
        "purchase has changed."
    )
    retry_after_s = 30
