"""What meetings add: reminders, days, where a review was decided."""

from adoption.meetings import agenda, calendar, reminders
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.contributions import Contribution

CONTRIBUTION = Contribution(
    due_queries=[
        reminders.post_mortems,
        reminders.measurements,
        reminders.to_confirm,
        reminders.meetings_ahead,
    ],
    notification_verbs=reminders.VERBS,
    calendar_days=[calendar.days],
    decided_where=[agenda.where_decided],
    readings={EntryKind.PACK_TAKEN},
)
