"""Addresses of files. They name a grant, an excerpt's token or a picture; never a master's path."""

from django.urls import path, register_converter

from downloads import views
from downloads.links import LINE, ORDER


class ScopeConverter:
    """What an archive holds."""

    regex = f"{LINE}|{ORDER}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(ScopeConverter, "archive_scope")

app_name = "downloads"
urlpatterns = [
    path("downloads/<uuid:grant_id>/", views.file, name="file"),
    path("downloads/<uuid:grant_id>/listen/", views.listen, name="listen"),
    path("downloads/<uuid:grant_id>/<uuid:asset_id>/", views.file, name="file"),
    path("downloads/<uuid:grant_id>/<archive_scope:scope>.zip", views.archive, name="archive"),
    path("media/excerpts/<uuid:token>.mp3", views.excerpt, name="excerpt"),
    path("media/<path:path>", views.picture, name="picture"),
]
