"""Artists and genres; everything else here is a Wagtail page with an address of its own."""

from django.urls import re_path

from catalog_pages import views

app_name = "catalog"
SLUG = r"(?P<slug>[-\w]+)"  # letters of every script, unlike Django's own converter
urlpatterns = [
    re_path(rf"^artists/{SLUG}/$", views.artist, name="artist"),
    re_path(rf"^genres/{SLUG}/$", views.genre, name="genre"),
]
