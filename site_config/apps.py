from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SiteConfigConfig(AppConfig):
    name = "site_config"
    verbose_name = _("Shop")

    def ready(self) -> None:
        from site_config import checks, installation  # noqa: F401
        from site_config.database import sqlite_knows_json
        from site_config.observing import faults, tasks, tracing

        sqlite_knows_json()
        tasks.connect()
        tracing.start()
        faults.start()
