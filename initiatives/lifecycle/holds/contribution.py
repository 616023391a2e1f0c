"""The part of holds in every act that rewrites a supported stage, and the sentences of their entries."""

from governance.audit_log.deed import sentences
from initiatives.contributions import Contribution
from initiatives.lifecycle.holds import actions, condition_deeds, deeds, dependant_deeds

CONTRIBUTION = Contribution(
    followers=[actions.follow_support],
    sentences=sentences(actions, deeds, dependant_deeds, condition_deeds),
)
