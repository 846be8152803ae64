from django.apps import AppConfig


class StoreApiConfig(AppConfig):
    name = "store_api"
    verbose_name = "API"
