"""The contributions of components to findings and to the pages of requirements."""

from initiatives.contracts.enforcement import deployment_gate
from initiatives.contributions import Contribution
from initiatives.integration.components import findings, remedies

CONTRIBUTION = Contribution(
    beside_requirement=[remedies.beside_requirement],
    register_says=[findings.says, findings.says_of_unasked],
    changing=[findings.unasked],
    fixes={"component": remedies.fixes_of, deployment_gate.FINDING: remedies.ways_to_ask},
)
