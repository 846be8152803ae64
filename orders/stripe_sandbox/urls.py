"""Included at /sandbox/ when the sandbox is on; each view checks the switch again."""

from django.urls import path

from orders.stripe_sandbox import views

app_name = "stripe_sandbox"
urlpatterns = [
    path("", views.index, name="index"),
    path("pay/<str:session_id>/", views.pay, name="pay"),
    path("sessions/<str:session_id>/settle/", views.settle, name="settle"),
    path("deliveries/<int:delivery_id>/redeliver/", views.redeliver, name="redeliver"),
    path("controls/", views.switch, name="controls"),
]
