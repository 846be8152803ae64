"""Why a piece, or the whole of an upload, is not taken."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from catalog_pages.errors import DomainError


class WrongOffset(DomainError):
    """The piece does not begin where the file ends so far; `received_bytes` says where that is."""

    code = "wrong_offset"
    status = 409
    message = _("This piece does not begin where the last one ended.")

    def __init__(self, received_bytes: int) -> None:
        super().__init__()
        self.received_bytes = received_bytes


class PieceTooLong(DomainError):
    code = "piece_too_long"
    status = 413
    message = _("More arrived than the file was said to hold. Choose it again.")


class NotWhole(DomainError):
    """Something is still missing; the upload's state says how much is here."""

    code = "not_whole"
    status = 409
    message = _("Part of the file has not arrived yet.")


class UploadOver(DomainError):
    """No more pieces are taken: the upload is being checked, or has ended."""

    code = "upload_over"
    status = 409
    message = _("This upload has ended.")


class WrongPlace(DomainError):
    """Pieces were sent to the shop though its files live in a bucket, or the other way round."""

    code = "wrong_place"
    status = 409
    message = _("The shop keeps its files elsewhere now. Choose the file again.")


class NotBegun(DomainError):
    """The bucket was never told of this upload: beginning it again does that."""

    code = "not_begun"
    status = 409
    message = _("The shop's storage does not expect this file yet. Choose it again.")


class NoRoom(DomainError):
    code = "no_room"
    status = 507
    message = _("The shop's disk has no room for all of this file. Make room, then try again.")


class BytesLost(DomainError):
    """What had arrived is not in storage any more."""

    code = "bytes_lost"
    status = 410
    message = _("What had arrived of this file is gone from the shop's storage. Choose it again.")
