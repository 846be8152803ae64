from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "site_config.accounts"
    label = "accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        from site_config.accounts import receivers  # noqa: F401
