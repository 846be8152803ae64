from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class StoreApiConfig(AppConfig):
    name = "store_api"
    verbose_name = _("API")

    def ready(self) -> None:
        from allauth.idp.oidc.models import Client, Token

        from store_api.clients.roles import ensure_partner_role

        for model in (
            Client,
            Token,
        ):  # nothing of the catalogue is named there; each save would be a task
            model.wagtail_reference_index_ignore = True

        # Django makes each app's permissions as it announces that app; after the last one all exist.
        last = [config for config in apps.get_app_configs() if config.models_module][-1]
        post_migrate.connect(ensure_partner_role, sender=last)
