"""What sold: sums per day of the shop's own calendar, kept right by marks, and read in a few queries.

* `marks` - whatever changes a fact marks the moments at which the order's money is counted
* `sums` - what one day came to, added up from the facts; `shares` - whose lines a refund belongs to
* `refresh` - adds up the days that are marked; `keeping` - writes what has changed of them
* `periods` - a period cut into days, weeks or months; `report` - its figures and those of the one before;
  `ranks` - what sold best in it
* `words` - how two numbers compare

Days are those of the shop's own calendar: `catalog_pages.shop_days`.

What counts, and when:

* Revenue: what was captured, tax included, at the moment at which the shop heard that it was paid. Money
  that arrived twice for one order counts twice, until it is refunded.
* Refunds: what succeeded, at the moment at which the shop first heard so. One that the bank sends back later
  counts no more. Lost disputes count as refunds do, when they were lost; others never. Both only for payments
  that counted.
* Net: revenue less refunds and lost disputes. Tax: of the orders paid then, as charged; refunds take nothing
  off it.
* Orders: those that became paid then; those with nothing to pay are counted apart. Average: revenue by
  orders.
* Conversion: of the orders begun then (checkout was pressed), the share that has been paid by now. A cart
  that never came so far is not known to last, and is not counted.
* A line's revenue: what was paid for it, its share of discounts and of tax on top included. A bundle is
  the one product that was sold. A refund belongs to the lines that it was made for; one made for none, and a
  lost dispute, to what is left of each line, in proportion. Money that arrived twice belongs to no product,
  nor does a refund of it without lines.
* Currencies are never added up. A country is the billing address's, as Stripe told it with the payment.
"""

from orders.services.figures.marks import figures_mark, figures_mark_order
from orders.services.figures.refresh import figures_refresh, figures_start_over
from orders.services.figures.telling import bestsellers_tell

__all__ = [
    "bestsellers_tell",
    "figures_mark",
    "figures_mark_order",
    "figures_refresh",
    "figures_start_over",
]
