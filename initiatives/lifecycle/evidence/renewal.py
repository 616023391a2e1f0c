"""The page and the person for renewing evidence, the same for all pages."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.urls import reverse

from governance import clock
from governance.gates.requirement_state import ACCEPTED_IN_PERSON, GENERATED_ONLY
from governance.rulebook import ParsedRulebook, Requirement
from governance.vocabulary import EvidenceKind, EvidenceRegister, Role
from initiatives.contributions import contributed
from initiatives.lifecycle.evidence import artefact_kinds
from initiatives.lifecycle.evidence.forms import added_kinds
from initiatives.lifecycle.facts.open_requirements import ROLE_OF
from initiatives.models import Initiative


@dataclass(frozen=True)
class Renewal:
    """The page for this evidence, the words of its button, and its person.

    `role` is the role of that person; the owner does it if no one holds the role. `person` is a key if one is named.
    """

    address: str
    words: str
    role: str = Role.OWNER
    person: int | None = None

    def whose(self, people: Mapping[str, int]) -> int | None:
        """Return the key of the one person whose task it is. `people`: who holds each role of the initiative."""
        if self.person is not None and self.person in people.values():
            return self.person
        return people.get(self.role) or people.get(Role.OWNER)


def renewal_of(
    initiative: Initiative, rulebook: ParsedRulebook, key: str, item=None, near: Collection[int] = ()
) -> Renewal:
    """Return where the evidence of the requirement is renewed: in the kind of `item`, else in one that it takes.

    `item`: a row of evidence, or a fact of one. A kind that nobody can give for this requirement is left out. `near`
    has the keys of the initiatives whose measures are read in the same query.
    """
    asked = rulebook.requirements[key]
    kinds = [item.kind, *asked.evidence] if item is not None else list(asked.evidence)
    found = (_in_kind(initiative, rulebook, asked, kind, item, near) for kind in dict.fromkeys(kinds))
    first = next((one for one in found if one is not None), None)
    return first or Renewal(_page("requirement", initiative, key), "Open the requirement", _role(asked))


def answered_by_the_register(rulebook: ParsedRulebook) -> list[str]:
    """Return the requirements that a record of the register can ground: of the integration test, if they take one."""
    asked = [rulebook.requirements[key] for key in rulebook.scale_tests["integration"].items]
    record = EvidenceKind.SYSTEM_RECORD
    return [one.key for one in asked if record in one.evidence and one.min_evidence in ("", record, None)]


def written_elsewhere(rulebook: ParsedRulebook, asked: Requirement) -> bool:
    """Return whether registers, measures or the contract alone bring the evidence: no words and no file do."""
    by_people = {*added_kinds(rulebook), EvidenceKind.ATTESTATION} - {EvidenceKind.CONTRACT_CLAUSE}
    return asked.key in GENERATED_ONLY or not by_people & {*asked.evidence}


def _in_kind(
    initiative, rulebook: ParsedRulebook, asked: Requirement, kind: str, item, near: Collection[int]
) -> Renewal | None:
    """Return where evidence of this kind is given for the requirement; None if it cannot be given."""
    key, role = asked.key, _role(asked)
    if key in GENERATED_ONLY:
        return Renewal(_page("initiative-act", initiative, "generate-index"), "Generate a new index")
    if kind == EvidenceKind.ATTESTATION and key in ACCEPTED_IN_PERSON:
        return Renewal(_page("people", initiative), "Show who accepts again", ACCEPTED_IN_PERSON[key])
    if kind == EvidenceKind.ATTESTATION:
        return Renewal(_page("requirement", initiative, key), "Answer again", role)
    if key in contributed.renewals and (kind == EvidenceKind.TELEMETRY or _by_measures(item)):
        return Renewal(*contributed.renewals[key](initiative, key, item, near))
    if kind == EvidenceKind.DRILL_RECORD:
        return Renewal(_page("initiative-act", initiative, "record-drill"), "Record a drill", role)
    if kind == EvidenceKind.SYSTEM_RECORD and key in answered_by_the_register(rulebook):
        return Renewal(
            _page("initiative-act", initiative, "keep-register"), "Keep the register up to date", role
        )
    if kind == EvidenceKind.CONTRACT_CLAUSE and not (
        initiative.contract_id and initiative.contract.in_force_at(clock.now())
    ):
        return Renewal(_page("contract", initiative), "Open the contract", role)
    if kind not in added_kinds(rulebook) or kind not in asked.evidence:
        return None
    query = f"kind={kind}&covers={key}"
    if item is not None and not item.generated and item.kind != EvidenceKind.ATTESTATION:
        query += f"&supersedes={item.id}"
    words = "Add newer evidence" if item is not None else "Add evidence"
    return Renewal(f"{_page('evidence-add', initiative)}?{query}", words, role)


def _by_measures(item) -> bool:
    """Return whether the measures of the initiative wrote the item."""
    details = getattr(item, "details", None) or {}
    return details.get(artefact_kinds.REGISTER) == EvidenceRegister.MEASUREMENTS


def _role(asked: Requirement) -> str:
    return ROLE_OF.get(asked.answered_by, asked.answered_by)


def _page(name: str, initiative: Initiative, *more: str) -> str:
    return reverse(name, args=[initiative.ref, *more])
