"""The additions of monitoring: a page, findings and a reminder."""

from django.utils.translation import gettext_noop as _  # looked up when shown

from adoption.monitoring import findings, reminders
from initiatives.contributions import Contribution, InitiativePage

CONTRIBUTION = Contribution(
    initiative_pages=[InitiativePage("Operation", _("Monitoring"), "monitoring")],
    due_queries=[reminders.silent],
    passing={"monitoring silent"},
    notification_verbs={"monitoring silent": "Open the monitoring"},
    measures=[findings.measured],
    changing=[findings.changing],
)
