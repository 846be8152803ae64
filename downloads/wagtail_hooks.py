"""What downloads add to the Wagtail admin; their list stands in the menu of the order desk."""

from __future__ import annotations

from wagtail import hooks

from downloads.admin.log import register_log_actions

hooks.register("register_log_actions", register_log_actions)
