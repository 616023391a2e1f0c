"""Additions of lessons: a page, page parts, a search group, lines and findings."""

from django.utils.translation import gettext_noop as _  # looked up when shown

from adoption.lessons import actions, findings, inbox, views
from initiatives.contributions import Contribution, InitiativePage

CONTRIBUTION = Contribution(
    initiative_pages=[InitiativePage("Requirements", _("Lessons"), "lessons")],
    beside_review=[views.beside_review],
    beside_registering=[views.beside_registering],
    beside_link=[views.beside_link],
    search_groups={"lessons": ("Lessons", views.found)},
    inbox_tasks=[inbox.tasks],
    quiet_acts=inbox.QUIET,
    more_says=[findings.says],
    secrecy_changed=[actions.offer_of],
)
