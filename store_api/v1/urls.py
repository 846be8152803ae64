"""Version 1 of the API."""

from django.urls import re_path
from rest_framework.routers import SimpleRouter

from store_api.problems import nothing_here
from store_api.v1.views.catalogue import ArtistViewSet, GenreViewSet, ProductViewSet

app_name = "v1"
router = SimpleRouter()
router.register("products", ProductViewSet, basename="product")
router.register("artists", ArtistViewSet, basename="artist")
router.register("genres", GenreViewSet, basename="genre")
# What ends without a slash is led to the address with one first, as everywhere.
urlpatterns = [*router.urls, re_path(r"^(?:.*/)?$", nothing_here)]
