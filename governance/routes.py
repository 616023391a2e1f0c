"""Where the pages of the ground floor are found."""

from django.urls import path

from governance.views import health, notices, people, rulebook

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("sign-in/", people.sign_in, name="sign-in"),
    path("sign-out/", people.sign_out, name="sign-out"),
    path("styleguide/", people.styleguide, name="styleguide"),
    path("help/", people.help_page, name="help"),
    path("notices/", notices.notices, name="notices"),
    path("notices/<int:pk>/", notices.open_notice, name="notice"),
    path("notices/read/", notices.mark_read, name="notices-read"),
    path("rulebook/", rulebook.current_rulebook, name="rulebook"),
    path("rulebook/versions/", rulebook.versions, name="rulebook-versions"),
    path("rulebook/load/", rulebook.load, name="rulebook-load"),
    path("rulebook/<str:version>/", rulebook.version, name="rulebook-version"),
    path("rulebook/<str:version>/propose/", rulebook.propose, name="rulebook-propose"),
]
