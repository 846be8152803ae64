"""Everything that the shop keeps about one account, as its owner may ask for it (GDPR, articles 15 and 20).

`TABLES` is the whole list; `LEFT_OUT` and `FIELDS_LEFT_OUT` name every model and field that tells of people
and is not in it, and why. docs/privacy.md says the same to people. Public: what `__all__` names.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orders.services.personal_data.account import ACCOUNT_TABLES, PROFILE
from orders.services.personal_data.buying import BUYING_TABLES
from orders.services.personal_data.left_out import FIELDS_LEFT_OUT, LEFT_OUT
from orders.services.personal_data.owning import OWNING_TABLES
from orders.services.personal_data.person import Person, person_of
from orders.services.personal_data.table import Kind, Row, Table

__all__ = [
    "FIELDS_LEFT_OUT",
    "LEFT_OUT",
    "PROFILE",
    "TABLES",
    "Kind",
    "Row",
    "Table",
    "personal_data",
]

TABLES = (*ACCOUNT_TABLES, *BUYING_TABLES, *OWNING_TABLES)


def personal_data(*, user: Any) -> tuple[Row, Iterator[tuple[Table, Iterator[Row]]]]:
    """The account itself, then each table with its rows.

    Rows come from the database a few hundred at a time while they are read, and each table is one
    query: neither memory nor the number of queries grows with what somebody bought. No secrets: no
    password, key, token or digest of one. Nothing about other people but what the account itself
    wrote down, such as the address that a gift was to be mailed to.
    """
    person = person_of(user)
    return _profile(person), ((table, table.rows(person)) for table in TABLES)


def _profile(person: Person) -> Row:
    return next(PROFILE.rows(person))
