"""Addresses of all apps."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("governance.web.routes")),
    path("", include("initiatives.urls")),
    path("", include("adoption.urls")),
]

handler400 = "governance.web.pages.error_views.bad_request"
handler500 = "governance.web.pages.error_views.server_error"
