from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class CatalogPagesConfig(AppConfig):
    name = "catalog_pages"
    verbose_name = _("Catalogue")

    def ready(self) -> None:
        from catalog_pages import receivers
        from catalog_pages.roles import ensure_roles
        from catalog_pages.stamp import install_stamp
        from catalog_pages.trigrams import install_trigrams

        receivers.connect()
        # Django makes each app's permissions as it announces that app; after the last one all exist.
        last = [config for config in apps.get_app_configs() if config.models_module][-1]
        post_migrate.connect(ensure_roles, sender=last)
        post_migrate.connect(install_stamp, sender=last)
        post_migrate.connect(install_trigrams, sender=last)
