"""The part of the pages of an initiative in the app: its menu and its banners."""

from django.utils.translation import gettext_noop as _  # looked up when shown

from initiatives.contributions import Contribution, InitiativePage
from initiatives.lifecycle.initiative_pages import banners

CONTRIBUTION = Contribution(
    initiative_pages=[
        InitiativePage("Overview", _("Overview"), "initiative"),
        InitiativePage("Overview", _("People"), "people"),
        InitiativePage("Overview", _("Accepted risks"), "accepted-risks"),
        InitiativePage("Overview", _("Notes"), "notes"),
        InitiativePage("Requirements", _("Requirements"), "requirements"),
        InitiativePage("Requirements", _("Evidence"), "evidence", lambda facts: len(facts.items)),
        InitiativePage("Requirements", _("Pipelines"), "pipelines"),
        InitiativePage("Requirements", _("Declaration"), "declaration"),
        InitiativePage("Requirements", _("Waivers"), "waivers"),
        InitiativePage("Review", _("Reviews"), "review-open"),
        InitiativePage("Contract and access", _("Contract"), "contract"),
        InitiativePage("Contract and access", _("API access"), "api-access"),
        InitiativePage("System", _("Versions and scope"), "deployments"),
        InitiativePage("System", _("Integration"), "integration"),
        InitiativePage("Activity", _("Activity"), "initiative-activity"),
    ],
    banners=[banners.banners_of],
)
