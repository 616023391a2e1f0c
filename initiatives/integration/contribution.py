"""The contributions of the integration register to findings, in their order."""

from initiatives.contributions import Contribution
from initiatives.integration import remedies
from initiatives.integration.definitions import findings as definition_findings
from initiatives.integration.definitions.conflicts import resolve_conflicts
from initiatives.integration.links import agreements
from initiatives.integration.links.actions import close_links
from initiatives.integration.pipelines import actions as pipeline_actions
from initiatives.integration.residency import findings as residency_findings
from initiatives.integration.resilience import drill_findings, process_findings
from initiatives.integration.systems import findings as system_findings
from initiatives.lifecycle.requirements import standalone

CONTRIBUTION = Contribution(
    beside_requirement=[remedies.beside_requirement],
    register_says=[
        system_findings.says,
        definition_findings.says,
        residency_findings.says,
        process_findings.says,
        drill_findings.says,
        drill_findings.records,
    ],
    measures=[agreements.measures],
    enders=[close_links],
    reopeners=[pipeline_actions.end_all, standalone.end_row],
    resolved_first={definition_findings.says: resolve_conflicts},
    changing=[drill_findings.failing_records],
)
