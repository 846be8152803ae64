"""What the shop itself has in public beside its pages: the stylesheet of its colour, and legal texts."""

from django.urls import path, re_path

from catalog_pages import views

urlpatterns = [
    re_path(
        r"^theme/(?P<accent>[0-9a-f]{6})-(?P<digest>[0-9a-f]{12})\.css$",
        views.theme,
        name="shop_theme",
    ),
    path("legal/<slug:kind>/", views.legal, name="legal"),
    path("legal/<slug:kind>/<int:version>/", views.legal, name="legal_version"),
]
