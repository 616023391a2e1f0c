"""The part of roles in the app: a new risk tier may ask for an audit trail owner."""

from initiatives.contributions import Contribution
from initiatives.lifecycle.roles import actions

CONTRIBUTION = Contribution(tier_changed=[actions.follow_tier])
