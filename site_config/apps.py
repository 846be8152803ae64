from django.apps import AppConfig


class SiteConfigConfig(AppConfig):
    name = "site_config"
    verbose_name = "Shop"

    def ready(self) -> None:
        from site_config import checks  # noqa: F401
