"""The shop's own pages: artists and genres, and a short way to those that are Wagtail's (`routes`)."""

from django.urls import re_path

from catalog_pages import views

app_name = "catalog"
SLUG = r"(?P<slug>[-\w]+)"  # letters of every script, unlike Django's own converter
urlpatterns = [
    re_path(rf"^artists/{SLUG}/$", views.artist, name="artist"),
    re_path(rf"^genres/{SLUG}/$", views.genre, name="genre"),
    re_path(r"^$", views.catalogue, name="catalogue"),
    re_path(rf"^{SLUG}/$", views.product, name="product"),
]
