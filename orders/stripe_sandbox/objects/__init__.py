"""Stripe's objects as plain JSON, with every field of the pinned version.

Required fields hold a plausible value, optional ones are null, and the few that Stripe leaves out
until they are asked for (`line_items`, `refunds`) are absent. Nothing here reads or writes data.
"""
