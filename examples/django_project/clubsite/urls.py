"""The pages of the club. `asgi.py` gives everything below `/booking` to openbooking."""

from club.views import home
from django.contrib import admin
from django.urls import path

urlpatterns = [path("", home), path("admin/", admin.site.urls)]
