"""Products as rows of texts, a few hundred at a time."""

from __future__ import annotations

from collections.abc import Iterator

from catalog_pages.querysets import ProductQuerySet
from catalog_pages.sheets.cells import COLUMNS, MOST_CHARACTERS, neutralised
from catalog_pages.sheets.products import Names, facts_in_order


def rows(products: ProductQuerySet) -> Iterator[list[str]]:
    """The columns, then a row of neutralised texts for each product that is not another one's alias.

    A text that no cell of Excel could hold is left empty: an import then leaves it alone, while half a text
    would replace the whole.
    """
    yield list(COLUMNS)
    names = Names.load()
    for facts in facts_in_order(products.filter(alias_of=None)):
        cells = facts.cells(names)
        texts = [neutralised(cells[column]) for column in COLUMNS]
        yield [text if len(text) <= MOST_CHARACTERS else "" for text in texts]
