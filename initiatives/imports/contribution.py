"""What imports add to the page of an initiative and to the activity."""

from initiatives.contributions import Contribution
from initiatives.imports.entry_wording import SENTENCES
from initiatives.imports.inventories.reported_stages import beside_initiative

CONTRIBUTION = Contribution(sentences=SENTENCES, beside_initiative=[beside_initiative])
