"""What is due on the cases: queries only (house.md). Hung on `governance.contributions` when the app is ready.

Imported claims owe nothing and remind nobody; what people do on an imported case reminds as anywhere else.
"""

from initiatives.evidence.reminders import files_missing, open_changes, proof
from initiatives.reminders.approval_reminders import approvals_asked
from initiatives.reminders.debt_reminders import conditions, debts, gaps, waivers
from initiatives.reminders.drill_reminders import drills
from initiatives.reminders.review_reminders import moves_waiting, reviews_expiring, votes_gone_stale
from initiatives.reminders.stage_expiry_reminders import dependences, reattestations, trials
from initiatives.reminders.wording import VERBS, words_of
from initiatives.roles.reminders import ideas_without_owner, roles_to_accept, vacancies

QUERIES = [
    proof,
    files_missing,
    open_changes,
    votes_gone_stale,
    moves_waiting,
    reviews_expiring,
    roles_to_accept,
    vacancies,
    ideas_without_owner,
    debts,
    conditions,
    waivers,
    gaps,
    reattestations,
    trials,
    dependences,
    drills,
    approvals_asked,
]

__all__ = ["QUERIES", "VERBS", "words_of"]
