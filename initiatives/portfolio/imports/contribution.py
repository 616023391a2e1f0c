"""Imports on the page of an initiative and in the activity."""

from initiatives.contributions import Contribution
from initiatives.portfolio.imports.entry_wording import SENTENCES
from initiatives.portfolio.imports.inventories.reported_stages import beside_initiative

CONTRIBUTION = Contribution(sentences=SENTENCES, beside_initiative=[beside_initiative])
