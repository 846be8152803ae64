"""Downloads in the Wagtail admin, registered by `downloads.wagtail_hooks`.

* `base` - lists and facts without any form, and buttons that do one thing by POST
* `grant_list` - finding a grant by whoever holds it, what it is for, or the order it came with
* `actions` - what the buttons do, each in one transaction with the ledger and Wagtail's own log
* `viewsets` - the pages of a grant and the menu entry
* `log` - what those presses are called in Wagtail's log

Views translate; the rules live in `downloads.policy`, `counting` and `grants`.
"""
