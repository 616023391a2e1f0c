"""Additions of meetings: reminders, days, and the meeting that decided a review."""

from adoption.meetings import agenda, calendar, reminders
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.contributions import Contribution

CONTRIBUTION = Contribution(
    due_queries=[reminders.meetings_ahead],
    notification_verbs=reminders.VERBS,
    passing={"meeting"},
    calendar_days=[calendar.days],
    decided_where=[agenda.where_decided],
    readings={EntryKind.PACK_TAKEN},
)
