"""The contributions of inboxes to notifications: tasks, due days, weekly digest.

Imported stages cause no obligations and no reminders. Acts on an imported initiative cause reminders as usual.
"""

from governance.models import Delivery
from initiatives.contracts.approvals.inbox import approvals_asked
from initiatives.contracts.enforcement.system_keys import keys_without_person
from initiatives.contributions import Contribution
from initiatives.inbox.rows import person_rows
from initiatives.inbox.tasks import calendar, inbox_tasks, weekly_digest
from initiatives.integration.components.inbox import components_ending
from initiatives.integration.resilience.inbox import drills
from initiatives.lifecycle.access import visibility
from initiatives.lifecycle.changes import inbox as change_inbox
from initiatives.lifecycle.evidence import file_check_inbox
from initiatives.lifecycle.evidence.reminders import evidence, files_missing, renewals
from initiatives.lifecycle.evidence.verification import inbox as verification_inbox
from initiatives.lifecycle.findings import alerts
from initiatives.lifecycle.holds import dependant_inbox, due_tasks
from initiatives.lifecycle.reminders import telling, wording
from initiatives.lifecycle.reviews import reminders as review_reminders
from initiatives.lifecycle.roles.inbox import ideas_without_owner, roles_to_accept, vacancies
from initiatives.lifecycle.stages import inbox as stage_inbox
from initiatives.portfolio.units import decision_gaps

CONTRIBUTION = Contribution(
    inbox_tasks=[inbox_tasks.tasks, file_check_inbox.tasks],
    inbox_circles=[person_rows.circle_of],
    openable=[visibility.openable],
    redirect=[telling.redirected],
    quiet_acts=inbox_tasks.QUIET,
    due_queries=[
        evidence,
        renewals,
        files_missing,
        change_inbox.reminders,
        review_reminders.reminders,
        roles_to_accept,
        vacancies,
        ideas_without_owner,
        due_tasks.reminders,
        stage_inbox.reminders,
        dependant_inbox.reminders,
        drills,
        components_ending,
        approvals_asked,
        decision_gaps.undecided,
        keys_without_person,
    ],
    notification_verbs=wording.VERBS,
    alerts=alerts.ALERTS,
    asking=wording.ASKING,
    passing=wording.PASSING,
    tellers=[verification_inbox.tell_seats],
    initiative_words=[wording.words_of],
    event_subjects=[wording.event_subjects],
    mails={Delivery.DIGEST: weekly_digest.DIGEST_MAIL},
    digest_units=[weekly_digest.units_of],
    calendar_days=[calendar.days],
)
