"""Addresses of files. They name a grant, an excerpt's token or a picture; never a master's path."""

from django.urls import path

from downloads import views

app_name = "downloads"
urlpatterns = [
    path("downloads/<uuid:grant_id>/", views.file, name="file"),
    path("media/excerpts/<uuid:token>.mp3", views.excerpt, name="excerpt"),
    path("media/<path:path>", views.picture, name="picture"),
]
