"""The additions of measures: a page and findings."""

from django.utils.translation import gettext_noop as _  # looked up when shown

from adoption.measures import findings, queries
from initiatives.contributions import Contribution, InitiativePage

CONTRIBUTION = Contribution(
    initiative_pages=[InitiativePage("Operation", _("Adoption"), "adoption")],
    more_says=[findings.says],
    measures=[findings.measured],
    unless=findings.undeclared(),
    measured_value=[queries.measured_value],
)
