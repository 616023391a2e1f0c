"""What is due on the initiatives: queries only, contributed to `governance.contributions.due_queries` by `apps.py`.

Imported claims owe nothing and remind nobody; what people do on an imported initiative reminds as anywhere else.
"""

from initiatives.approvals.reminders import approvals_asked
from initiatives.components.reminders import components_ending
from initiatives.evidence.reminders import files_missing, open_changes, proof, renewals
from initiatives.holds.reminders import conditions, gaps, obligations, waivers
from initiatives.integration.resilience.reminders import drills
from initiatives.reminders.wording import VERBS, words_of
from initiatives.reviews.reminders import moves_waiting, reviews_expiring, sign_offs_gone_stale
from initiatives.roles.reminders import ideas_without_owner, roles_to_accept, vacancies
from initiatives.stages.reminders import dependences, reattestations, trials

QUERIES = [
    proof,
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
]

__all__ = ["QUERIES", "VERBS", "words_of"]
