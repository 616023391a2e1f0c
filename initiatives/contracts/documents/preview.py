"""Preview of a contract coming into force, and of ending a mapping to a control."""

from governance.models import ContractVersion, User
from initiatives.contracts.documents import actions, control_mapping
from initiatives.lifecycle.initiative.act import rewrite_supported_stage
from initiatives.lifecycle.initiative.impact_preview import preview
from initiatives.models import Initiative


def of_contract(initiative: Initiative, version: ContractVersion, *, by: User | None = None) -> list[str]:
    """What putting this version of the contract in force ends. A start in the future ends nothing today."""

    def run(initiative):
        row = ContractVersion.objects.select_related("contract").get(pk=version.pk)
        if row.state == ContractVersion.DRAFT:
            # A version comes into force out of review only; the database insists.
            row.state, row.digest = ContractVersion.IN_REVIEW, actions.contract_digest(row)
            row.save()
        actions._put_in_force(initiative, row, by or row.author)
        rewrite_supported_stage(initiative)

    return preview(initiative, run, by=by)


def of_mapping_end(initiative: Initiative, mapping, *, by: User) -> list[str]:
    """What ending this mapping of a clause to a control ends."""
    return preview(initiative, lambda _: control_mapping.close_mapping(mapping=mapping, by=by), by=by)
