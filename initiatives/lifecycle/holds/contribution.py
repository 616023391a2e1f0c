"""The part of holds in every act that rewrites a supported stage."""

from initiatives.contributions import Contribution
from initiatives.lifecycle.holds.actions import follow_support

CONTRIBUTION = Contribution(followers=[follow_support])
