"""The pages under /sandbox/: the buyer's payment page, and the bench of whoever tests the shop.

`payment` is what a buyer sees, `bench` what a developer sees, `levers` what the bench's buttons do.
"""
