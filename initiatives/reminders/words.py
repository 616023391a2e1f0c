"""What a message says of a case, wherever it goes: which case, its stage and goal, and what must stand beside them."""

from governance import clock
from governance.delivery import CaseWords
from governance.models import ContractVersion, Rulebook
from governance.templatetags.plumbline import stage_word
from initiatives.models import Initiative
from initiatives.views.shared import NOT_EVIDENCED, goal_of


def subject(case: Initiative, words: str) -> str:
    """The subject of a message about a case: its reference and title first."""
    return f"{case.ref} {case.title}: {words}"


def words_of(refs: set[str]) -> dict[str, CaseWords]:
    """Title, stage and goal of these cases as they stand now, and the warnings that every mail about them carries."""
    numbers = [int(ref.removeprefix("AI-")) for ref in refs if ref.removeprefix("AI-").isdecimal()]
    cases = list(Initiative.objects.filter(number__in=numbers))
    if not cases:
        return {}
    book, now = Rulebook.objects.current().book, clock.now()
    contracts = ContractVersion.objects.filter(
        contract__in=[case.contract_id for case in cases if case.contract_id], starts_at__lte=now
    )
    governed = {version.contract_id for version in contracts if not version.ends_at or version.ends_at > now}
    return {
        case.ref: CaseWords(
            ref=case.ref,
            title=case.title,
            stage=stage_word(case.stage),
            goal=goal_of(case, book)[0],
            warnings=tuple(_warnings(case, case.contract_id in governed)),
        )
        for case in cases
    }


def _warnings(case: Initiative, under_contract: bool):
    if case.stage == "prototype":
        yield "not production-ready"
    if case.stage in ("prototype", "mvp", "production") and not under_contract:
        yield "no contract in force"
    if case.imported:
        yield NOT_EVIDENCED
