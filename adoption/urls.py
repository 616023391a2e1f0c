"""Where the pages of what came of the cases are found."""

from django.urls import path

from adoption.views import postmortems

urlpatterns = [
    path("cases/<str:ref>/lessons/", postmortems.lessons, name="lessons"),
    path("obligations/<int:pk>/post-mortem/", postmortems.start, name="post-mortem-start"),
    path("post-mortems/<int:pk>/", postmortems.post_mortem, name="post-mortem"),
    path("post-mortems/<int:pk>/publish/", postmortems.publish, name="post-mortem-publish"),
    path("post-mortems/<int:pk>/confirm/", postmortems.confirm, name="post-mortem-confirm"),
]
