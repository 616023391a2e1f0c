"""What components add to findings."""

from initiatives.components import findings, remedies
from initiatives.contributions import Contribution

CONTRIBUTION = Contribution(register_says=[findings.says], fixes={"component": remedies.fixes_of})
