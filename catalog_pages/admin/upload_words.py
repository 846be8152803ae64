"""What the scripts of uploads say: the server hands them every sentence, in the language of the person.

Scripts hold no sentence of their own. A sentence that counts comes with all its plural forms, and with
which of them each number takes: the catalogue knows that, and no browser has it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from django.utils.html import json_script
from django.utils.safestring import SafeString
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

ELEMENT_ID = "upload-words"
# From 200 on a number takes the form of its last two digits, counted from 100: in every language.
ASKED = 200


def plural_forms(said: Callable[[int], str]) -> dict[str, list[str] | str]:
    """The `forms` of a sentence, and `which` of them, digit by digit, belongs to 0, 1, … 199."""
    every = [said(number) for number in range(ASKED)]
    forms = list(dict.fromkeys(every))
    return {"forms": forms, "which": "".join(str(forms.index(one)) for one in every)}


def upload_words() -> dict[str, object]:
    """By the names that `upload_transfer.js`, `upload.js` and `chooser_upload.js` know."""
    return {
        "signed_out": _("You are signed out. Sign in in another tab, then try again."),
        "changed": _("The file on your computer has changed or is gone. Choose it again."),
        "failed": _("The shop could not take this file. Choose it again to try once more."),
        "picture_failed": _("The shop could not take this picture."),
        "lost_track": _(
            "The page lost sight of this file. Load the page again to see what became of it."
        ),
        "lost": _("Connection lost."),
        "shop_silent": _("The shop does not answer."),
        "storage_silent": _("The shop's storage does not answer."),
        "removed": _("This upload was removed."),
        "gone": _("This upload has ended without a file. Choose it again."),
        "again_in": _("{lost} Trying again in {seconds}\N{NO-BREAK SPACE}s."),
        "uploading": _("Uploading, {percent} % of {size}"),
        "uploading_at": _("Uploading, {percent} % of {size}, {speed}/s, {time} left"),
        "begins": _("Uploading …"),
        "waiting": _("Waiting …"),
        "not_sent": _("Not sent."),
        "stopped": _("Stopped."),
        "stopped_here": _("Stopped. Choose the same file again to go on."),
        "stopped_at": _("Stopped at {percent} %. What is here is kept for {days} days."),
        "unfinished": _("{percent} % of {size} is here. Choose the file again to go on."),
        "too_large": _("This file is larger than {most}, the most that this shop takes."),
        "stop": _("Stop"),
        "try_again": _("Try again"),
        "upload_of": _("Upload of {name}"),
        "seconds": _("about {number} s"),
        "minutes": _("about {number} min"),
        "hours": _("about {number} h"),
        "sizes": [
            _("{size} bytes"),
            _("{size} kB"),
            _("{size} MB"),
            _("{size} GB"),
            _("{size} TB"),
        ],
        "done": plural_forms(
            lambda number: ngettext("{all} file done", "{all} files done", number)
        ),
        "done_of": plural_forms(
            lambda number: ngettext(
                "{done} of {all} file done", "{done} of {all} files done", number
            )
        ),
        "refused": plural_forms(
            lambda number: ngettext("{number} refused", "{number} refused", number)
        ),
        "stopped_count": plural_forms(
            lambda number: ngettext("{number} stopped", "{number} stopped", number)
        ),
        "lost_keeps_trying": _("The connection is lost; the page keeps trying."),
    }


@lru_cache(maxsize=16)
def _script_in(language: str) -> SafeString:
    return json_script(upload_words(), ELEMENT_ID)


def upload_words_script() -> SafeString:
    """For every page of the admin, since a chooser may stand on any."""
    return _script_in(get_language() or "")
