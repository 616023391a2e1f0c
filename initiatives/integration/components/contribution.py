"""What components add to findings."""

from initiatives.contributions import Contribution
from initiatives.integration.components import findings, remedies

CONTRIBUTION = Contribution(register_says=[findings.says], fixes={"component": remedies.fixes_of})
