"""The net under everything that leaves the shop as a log line, a span or a report of a fault.

Nothing personal or secret is meant to be written there in the first place; exceptions of libraries quote what
they choke on all the same. What looks like such a thing is replaced by a word that says what it was.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import IPv6Address

Replacement = str | Callable[[re.Match[str]], str]

# In this order: what comes first may hold what comes later.
RULES: list[tuple[re.Pattern[str], Replacement]] = [
    # PostgreSQL quotes the row: names and addresses stand in it.
    (re.compile(r"\bDETAIL:.*"), "DETAIL: [withheld]"),
    (re.compile(r"(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"), "[credentials]"),
    # Signatures, keys, codes, searches: no part of a query is needed to find a fault.
    (re.compile(r"\?[\w.~%+\[\]-]+=[^\s\"'<>)\\]*"), "?[query]"),
    (
        re.compile(r"(?i)\b(bearer|basic)\s+(?=[\w.~+/-]*(?-i:[A-Z0-9=]))[\w.~+/=-]{8,}"),
        r"\1 [secret]",
    ),
    (
        re.compile(
            r"(?i)\b(\w*(?:password|secret|token|api_?key|authorization|cookie|sessionid|csrf\w*))"
            r"([\"']?\s*[=:]\s*[\"']?)(?!\[|bearer|basic)[^\s\"',;&)}]{6,}"
        ),
        r"\1\2[secret]",
    ),
    (re.compile(r"\b[spr]k_(?:live|test)_\w+"), "[stripe key]"),
    (re.compile(r"\bwhsec_[\w+/=-]+"), "[webhook secret]"),
    (re.compile(r"\b(?:cs|pi|seti|src)_\w+_secret_\w+"), "[stripe secret]"),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*"), "[token]"),
    # Django's signer: value, time, signature. A run of letters is looked at from its beginning alone, here
    # and below: from each of them it would take the square of their number.
    (re.compile(r"(?<![\w-])\.?[\w-]{8,}:[\w-]{5,8}:[\w-]{27,}"), "[signed]"),
    (re.compile(r"\b[2-9B-DF-HJ-NP-TV-XZ]{5}(?:-[2-9B-DF-HJ-NP-TV-XZ]{5}){3}\b"), "[gift code]"),
    (re.compile(r"(?<![\w.+%'-])[\w.+%'-]+@[\w-]+(?:\.[\w-]+)+"), "[email]"),
    (re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b"), "[address]"),
    (
        re.compile(r"(?i)(?<![\w:.])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?![\w:])"),
        lambda found: _address(found[0]),
    ),
    # What Django calls a session: 32 small letters and digits. Request ids are hexadecimal.
    (re.compile(r"\b(?=[a-z0-9]{0,31}[g-z])(?=[a-z0-9]{0,31}\d)[a-z0-9]{32}\b"), "[session]"),
    (re.compile(r"(?<![\w.-])(?:\d[ -]?){12,18}\d(?![\w.-])"), lambda found: _card(found[0])),
]
MOST = 32_000
# Nothing that a rule replaces is without one of these: most lines are through after one look.
SUSPICIOUS = re.compile(
    r"[@?=]|DETAIL|\d[\d .:-]{5}|_(?:live|test|secret)_|whsec|eyJ|[\w-]{20}|::|:\w+:"
    r"|(?i:bearer|basic|cookie|password|secret|token|key|authorization|session|csrf)"
)


def redacted(text: str) -> str:
    """What may be logged of it: at most its first `MOST` letters."""
    if len(text) > MOST:
        text = f"{text[:MOST]} …"
    if not SUSPICIOUS.search(text):
        return text
    for pattern, by in RULES:
        text = pattern.sub(by, text)
    return text


def _address(text: str) -> str:
    """Times of day look much the same."""
    try:
        return "[address]" if len(text) > 4 and IPv6Address(text) else text
    except ValueError:
        return text


def _card(digits: str) -> str:
    """Only what passes the check of ISO/IEC 7812-1: sizes and moments are long numbers too."""
    numbers = [int(digit) for digit in reversed(digits) if digit.isdigit()]
    doubled = [number * 2 - 9 if number > 4 else number * 2 for number in numbers[1::2]]
    return "[card]" if (sum(numbers[::2]) + sum(doubled)) % 10 == 0 else digits
