"""A contract that comes into force answers what its clauses show, in the name of its author."""

import pytest

from adoption.demo import initiative_acts
from governance.models import Entry
from governance.transparency_log import sealing, verification
from initiatives.contracts.documents import actions as contract_actions
from initiatives.lifecycle.requirements import actions
from initiatives.lifecycle.requirements.several.contract_answers import KIND_OF
from initiatives.models import Answer
from tests.support import factories
from tests.support.initiatives.initiative_pages import SIGNED, at

pytestmark = pytest.mark.django_db


def contracted(cast, initiative=None, clauses=initiative_acts.CLAUSES):
    initiative = initiative or factories.make_prototype(cast)
    return factories.make_contract(cast, initiative, clauses, initiative_acts.VOCABULARY)


def waiting(cast):
    """A prototype whose contract is with the board."""
    initiative = factories.make_prototype(cast)
    initiative_acts.staff(initiative, cast.team, ("record_owner",))
    contract_actions.save_contract(
        initiative=initiative,
        clauses=initiative_acts.CLAUSES,
        vocabulary=initiative_acts.VOCABULARY,
        by=cast.owner,
    )
    contract_actions.propose_contract(initiative=initiative, by=cast.owner)
    return initiative


def test_each_clause_is_evidence_and_the_sentences_are_the_answer(cast):
    initiative = contracted(cast)
    version = initiative.contract.versions.get()
    for key in ("gov.autonomy", "gov.edge_policies"):
        clauses = version.clauses.filter(kind=KIND_OF[key])
        answer = initiative.answers.get(requirement=key)
        assert answer.by == version.author == cast.owner
        assert all(clause.sentence in answer.text for clause in clauses)
        cited = initiative.evidence.filter(kind="contract_clause", coverage__requirement=key)
        assert {*cited.values_list("clause", flat=True)} == {*clauses.values_list("pk", flat=True)}
        assert {item.author for item in cited} == {cast.owner}
        assert not initiative.evidence.filter(kind="attestation", coverage__requirement=key).exists()
    written = Entry.objects.acts().of_initiative(initiative.ref).filter(kind="answered")
    ours = [
        entry
        for entry in written
        if entry.facts["facts"]["requirement"] in ("gov.autonomy", "gov.edge_policies")
    ]
    assert [entry.actor_id for entry in ours] == [None, None]


def test_what_a_person_wrote_stays_and_what_repeats_the_last_version_follows(cast):
    initiative = factories.make_prototype(cast)
    actions.answer(
        initiative=initiative, requirement="gov.autonomy", kind="answered", text="Only notes.", by=cast.owner
    )
    initiative = contracted(cast, initiative)
    assert initiative.answers.get(requirement="gov.autonomy").text == "Only notes."
    before = initiative.answers.get(requirement="gov.edge_policies").text
    kept = [one for one in initiative_acts.CLAUSES if one.kind != "edge_policy"]
    edges = [one for one in initiative_acts.CLAUSES if one.kind == "edge_policy"]
    initiative = contracted(cast, initiative_acts.fresh(initiative), [*kept, *reversed(edges)])
    after = Answer.objects.get(initiative=initiative, requirement="gov.edge_policies")
    assert after.text != before
    assert after.version == 2


def test_the_seat_that_signs_last_signs_the_contract_and_not_the_answers(cast, as_):
    initiative = waiting(cast)
    version = initiative_acts.fresh(initiative).contract.versions.get()
    last = Entry.objects.latest("pk").pk
    for person, seat in ((cast.seat_value, "business_value"), (cast.seat_risk, "risk_compliance")):
        said = {"seat": seat, "digest": version.digest, "verdict": "approve"}
        answer = as_(person).post(at("contract-approve", initiative.ref), said | SIGNED)
        assert answer.status_code == 302
    made = Entry.objects.acts().of_initiative(initiative.ref).filter(pk__gt=last)
    signed = {entry.kind for entry in made if "signature" in entry.facts["facts"]}
    assert "contract in force" in signed
    assert not signed & {"answered", "evidence added"}
    assert {"answered", "evidence added"} <= {entry.kind for entry in made}
    sealing.seal()
    assert [one.words for one in verification.verify().findings] == []


def test_a_version_with_the_board_answers_nothing(cast):
    assert not waiting(cast).answers.filter(requirement="gov.autonomy").exists()
