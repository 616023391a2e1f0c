"""What inboxes of initiatives add to notifications: tasks, what is due, days, the weekly digest.

Imported claims have no obligations and remind nobody; what people do on an imported initiative reminds as anywhere
else.
"""

from governance.models import Delivery
from initiatives.contracts.approvals.reminders import approvals_asked
from initiatives.contributions import Contribution
from initiatives.inbox.rows import person_rows
from initiatives.inbox.tasks import calendar, inbox_tasks, weekly_digest
from initiatives.integration.components.reminders import components_ending
from initiatives.integration.resilience.reminders import drills
from initiatives.lifecycle.access import visibility
from initiatives.lifecycle.evidence import file_check_inbox
from initiatives.lifecycle.evidence.reminders import evidence, files_missing, open_changes, renewals
from initiatives.lifecycle.holds.reminders import conditions, gaps, obligations, waivers
from initiatives.lifecycle.reminders import wording
from initiatives.lifecycle.reviews.reminders import moves_waiting, reviews_expiring, sign_offs_gone_stale
from initiatives.lifecycle.roles.reminders import ideas_without_owner, roles_to_accept, vacancies
from initiatives.lifecycle.stages.reminders import dependences, reattestations, trials

CONTRIBUTION = Contribution(
    inbox_tasks=[inbox_tasks.tasks, file_check_inbox.tasks],
    inbox_circles=[person_rows.circle_of],
    sight_lost=[visibility.sight_lost],
    quiet_acts=inbox_tasks.QUIET,
    due_queries=[
        evidence,
        renewals,
        files_missing,
        open_changes,
        sign_offs_gone_stale,
        moves_waiting,
        reviews_expiring,
        roles_to_accept,
        vacancies,
        ideas_without_owner,
        obligations,
        conditions,
        waivers,
        gaps,
        reattestations,
        trials,
        dependences,
        drills,
        components_ending,
        approvals_asked,
    ],
    notification_verbs=wording.VERBS,
    initiative_words=[wording.words_of],
    mails={Delivery.DIGEST: weekly_digest.DIGEST_MAIL},
    digest_units=[weekly_digest.units_of],
    calendar_days=[calendar.days],
)
