"""Version 1 of the API."""

from rest_framework.routers import SimpleRouter

from store_api.v1.views import ProductViewSet

app_name = "v1"
router = SimpleRouter()
router.register("products", ProductViewSet, basename="product")
urlpatterns = router.urls
