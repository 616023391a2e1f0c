"""What is due on the cases: queries only (house.md). Hung on `governance.hooks` when the app is ready.

Imported claims owe nothing and remind nobody; what people do on an imported case reminds as anywhere else.
"""

from initiatives.reminders.approvals import approvals_asked
from initiatives.reminders.debts import conditions, debts, gaps, waivers
from initiatives.reminders.drills import drills
from initiatives.reminders.ends import dependences, reattestations, trials
from initiatives.reminders.people import ideas_without_owner, roles_to_accept, vacancies
from initiatives.reminders.proof import files_missing, open_changes, proof
from initiatives.reminders.reviews import moves_waiting, reviews_expiring, votes_gone_stale
from initiatives.reminders.words import VERBS, words_of

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
