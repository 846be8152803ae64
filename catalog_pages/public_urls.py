"""The front door, and what is public beside pages: the shop's colour, legal texts, what programs read."""

from django.urls import path, re_path

from catalog_pages import views

urlpatterns = [
    path("", views.home, name="home"),
    re_path(
        r"^theme/(?P<accent>[0-9a-f]{6})-(?P<digest>[0-9a-f]{12})\.css$",
        views.theme,
        name="shop_theme",
    ),
    path("fragments/search/", views.suggestions, name="search_suggestions"),
    path("robots.txt", views.robots, name="robots"),
    path("sitemap.xml", views.sitemap, name="sitemap"),
    path("catalog/new.atom", views.feed, name="feed"),  # no product's: a slug has no dot
    path("legal/<slug:kind>/", views.legal, name="legal"),
    path("legal/<slug:kind>/<str:version>/", views.legal, name="legal_version"),
]
