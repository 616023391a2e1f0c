"""Preview of a contract coming into force, and of ending a mapping to a control."""

from governance.models import ContractVersion, User
from initiatives.cases.act import settle_standing
from initiatives.cases.impact_preview import preview
from initiatives.contracts import actions, control_mapping
from initiatives.models import Initiative


def of_contract(case: Initiative, version: ContractVersion, *, by: User | None = None) -> list[str]:
    """What putting this version of the contract in force ends. A start in the future ends nothing today."""

    def run(case):
        row = ContractVersion.objects.select_related("contract").get(pk=version.pk)
        if row.state == ContractVersion.DRAFT:
            # A version comes into force out of review only; the database insists.
            row.state, row.digest = ContractVersion.IN_REVIEW, actions.contract_digest(row)
            row.save()
        actions._put_in_force(case, row, by or row.author)
        settle_standing(case)

    return preview(case, run, by=by)


def of_mapping_end(case: Initiative, mapping, *, by: User) -> list[str]:
    """What ending this mapping of a clause to a control ends."""
    return preview(case, lambda _: control_mapping.end_mapping(mapping=mapping, by=by), by=by)
