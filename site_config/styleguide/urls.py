"""The address of the guide, below `/styleguide/`."""

from django.urls import path

from site_config.styleguide.views import guide

urlpatterns = [path("", guide, name="styleguide")]
