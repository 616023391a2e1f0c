"""What enforces the contract: each clause a control, each layer a report read from outside, the contract first."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from adoption.demo import artefacts, case_acts
from governance import clock
from governance.contracts.clauses import Terms
from governance.models import Clause
from governance.permission_result import Conflict, Refused
from governance.transparency_log import sealing
from initiatives.checklist import actions as checklist_actions
from initiatives.contracts import actions as contract_actions
from initiatives.contracts import control_mapping
from initiatives.contracts.actions import Written
from initiatives.evidence import actions as evidence_actions
from initiatives.evidence import preview as evidence_preview
from initiatives.facts import supported_stage
from initiatives.models import ClauseEnforcement, Evidence
from initiatives.reviews import actions as review_actions
from tests.acceptance.walks import story
from tests.acceptance.walks.story import at
from tests.support import factories
from tests.support.database import snapshots

pytestmark = pytest.mark.django_db

LAYERS = {"layer.policy": "document", "layer.runtime": "log_sample", "layer.observability": "drill_record"}


@pytest.fixture
@snapshots.kept
def trial(cast):
    """An MVP since 3 August 2026 for which on 1 September everything was shown, and its production review."""
    case = story.mvp_of_spring(cast)
    with at(2026, 9, 1):
        story.renew(case, cast)
        case_acts.ground_gate(case, "production", cast.team)
        review = review_actions.open_review(case=story.fresh(case), by=cast.owner)
    return story.fresh(case), review


def control_of(case, number: int) -> ClauseEnforcement:
    """The standing mapping of the clause with this number."""
    return ClauseEnforcement.objects.standing().get(initiative=case, clause__number=number)


def clause_of(case, number: int) -> Clause:
    """The clause with this number, of the newest version."""
    return Clause.objects.filter(version__contract=case.contract, number=number).order_by("-version").first()


# The map


def test_one_clause_without_a_control_keeps_the_production_gate_closed_and_is_named(cast, as_, trial):
    case, review = trial
    page = reverse("contract-map", args=[case.ref])
    with at(2026, 9, 2):
        lead = as_(cast.lead)
        assert story.state(case, "gov.enforced").satisfied
        assert story.span(case).supported == "production"
        assert "Each clause has a control." in lead.get(page).content.decode()
        third = control_of(case, 3)
        ending = reverse("mapping-end", args=[third.pk])
        told = lead.get(ending).content.decode()
        assert "No control is named for clause 3" in told, "what ending it ends is told before"
        assert lead.post(ending).status_code == 302
    with at(2026, 9, 3):
        lead = as_(cast.lead)
        sentence = third.clause.sentence
        found = story.state(case, "gov.enforced")
        assert (found.state, found.words) == ("unmapped", f"No control is named for clause 3: {sentence}")
        assert f"No control is named for clause 3: {sentence}" in story.blockers(review)
        assert not story.sitting(review).verdict.decidable
        assert story.span(case).supported == "mvp", "the kept standing follows the act"
        shown = lead.get(page).content.decode()
        assert shown.count("no control yet") == 1
        assert "1 clause without a control" in shown
        row = lead.get(reverse("checklist-row", args=[case.ref, "gov.enforced"])).content.decode()
        assert "No control is named for clause 3" in row
        listed = lead.get(reverse("checklist", args=[case.ref])).content.decode()
        assert page in listed, "the row leads to the map"
    with at(2026, 9, 4):
        lead = as_(cast.lead)
        form = reverse("clause-map", args=[case.ref, third.clause_id])
        empty = lead.post(form, {"layer": "policy", "control": "", "evidence": ""})
        assert empty.status_code == 200
        assert ClauseEnforcement.objects.standing().filter(clause=third.clause).count() == 0
        sent = {"layer": "runtime", "control": "A person checks weekly.", "evidence": third.evidence_id}
        assert lead.post(form, sent).status_code == 302
        assert story.state(case, "gov.enforced").satisfied
        assert "No control" not in story.blockers(review)
        assert story.span(case).supported == "production"
        assert "A person checks weekly." in lead.get(page).content.decode()
        told = lead.get(reverse("case-history", args=[case.ref])).content.decode()
        assert "named a control for clause 3 of contract version 1, in the runtime layer" in told


def test_a_clause_that_is_reworded_is_mapped_again_and_the_others_carry_over(cast, as_, trial):
    case, review = trial
    with at(2026, 9, 10):
        before = list(case.contract.in_force_at(clock.now()).clauses.all())
        clauses = [Written(one.kind, one.sentence, one.said, one.number) for one in before]
        wider = replace(clauses[0].terms, most=300)
        clauses[0] = replace(clauses[0], terms=wider, sentence="")
        case_acts.contract(case, cast.team, clauses, ())
        case = story.fresh(case)
        found = story.state(case, "gov.enforced")
        assert found.state == "unmapped"
        assert found.words.startswith("No control is named for clause 1: It may summarise")
        assert "300 at a time" in found.words
        assert "Nor" not in found.words, "the other clauses say what they said"
        assert found.words in story.blockers(review)
        shown = as_(cast.owner).get(reverse("contract-map", args=[case.ref])).content.decode()
        assert shown.count("Carried over from version 1.") == len(before) - 1
        assert shown.count("no control yet") == 1
        case_acts.ground(case, "gov.enforced", cast.team)
        assert story.state(case, "gov.enforced").satisfied
        newest = ClauseEnforcement.objects.standing().filter(initiative=case).latest("pk")
        assert newest.clause == clause_of(case, 1)
        old = Clause.objects.get(version__contract=case.contract, version__number=1, number=1)
        with pytest.raises(Refused, match="Version 1 of the contract is not in force"):
            control_mapping.map_clause(
                case=case,
                clause=old,
                layer="policy",
                control="Late.",
                evidence=case.evidence.first(),
                by=cast.owner,
            )


def test_a_version_that_starts_later_closes_the_gate_on_its_day_and_can_be_mapped_before(cast, trial):
    case, _ = trial
    with at(2026, 9, 10):
        contract_actions.save_contract(
            case=case,
            clauses=[*case_acts.CLAUSES, Written("retention", terms=Terms(days=900))],
            wanted_from=date(2026, 9, 20),
            by=cast.owner,
        )
        version = contract_actions.propose_contract(case=story.fresh(case), by=cast.owner)
        draft = version.clauses.get(kind="retention")
        proof = case.evidence.filter(coverage__requirement="gov.enforced").first()
        given = {"layer": "observability", "control": "Counted yearly.", "evidence": proof, "by": cast.lead}
        with pytest.raises(Refused, match="Version 2 of the contract is not in force"):
            control_mapping.map_clause(case=story.fresh(case), clause=draft, **given)
        for seat in ("risk_compliance", "business_value"):
            contract_actions.approve_contract(
                version=version, seat=seat, digest=version.digest, by=cast.team.seats[seat]
            )
        case = story.fresh(case)
        assert story.state(case, "gov.enforced").state != "unmapped", "the old version binds until then"
        with story.undone():
            control_mapping.map_clause(case=case, clause=draft, **given)
            with at(2026, 9, 21):
                assert story.state(case, "gov.enforced").state != "unmapped"
    with at(2026, 9, 21):
        assert story.state(case, "gov.enforced").words == (
            f"No control is named for clause {draft.number}: Records of what it does are kept for 900 days."
        )


def test_proof_that_is_withdrawn_or_replaced_maps_nothing_any_more(cast, as_, trial):
    case, _ = trial
    with at(2026, 9, 2):
        other = evidence_actions.add_evidence(
            case=case,
            kind="system_record",
            title="Export of the rules",
            observed_on=clock.today(),
            covers=["gov.enforced"],
            file=artefacts.pdf("Export of the rules"),
            by=cast.owner,
        )
        control_mapping.end_mapping(mapping=control_of(case, 2), by=cast.lead)
        given = {"layer": "policy", "control": "The rules.", "evidence": other, "by": cast.lead}
        control_mapping.map_clause(case=case, clause=clause_of(case, 2), **given)
        assert story.state(case, "gov.enforced").satisfied
        with pytest.raises(Exception, match="named for the clause already"):
            control_mapping.map_clause(case=case, clause=clause_of(case, 2), **given)
        with story.undone():
            effects = evidence_preview.of_withdrawal(case, other, by=cast.owner)
            assert any("No control is named for clause 2" in line for line in effects)
            evidence_actions.withdraw_evidence(evidence=other, reason="Not ours.", by=cast.owner)
            assert "clause 2" in story.state(case, "gov.enforced").words
            with pytest.raises(Exception, match="choose its successor"):
                control_mapping.map_clause(case=case, clause=clause_of(case, 2), **given)
        evidence_actions.add_evidence(
            case=case,
            kind="system_record",
            title="Export of the rules, again",
            observed_on=clock.today(),
            covers=["gov.enforced"],
            file=artefacts.pdf("Export of the rules, again"),
            supersedes=other,
            by=cast.owner,
        )
        assert "clause 2" in story.state(case, "gov.enforced").words
        shown = as_(cast.owner).get(reverse("contract-map", args=[case.ref])).content.decode()
        assert "name the control again, with newer evidence" in shown


def test_who_maps_and_what(cast, trial):
    case, _ = trial
    with at(2026, 9, 2):
        proof = case.evidence.first()
        given = {"layer": "policy", "control": "The rules.", "evidence": proof}
        clause = clause_of(case, 1)
        for person in (cast.support, cast.seat_risk, cast.chair, cast.admin, cast.outsider):
            with pytest.raises(Refused, match="Only the owner or the technical lead"):
                control_mapping.map_clause(case=case, clause=clause, by=person, **given)
            with pytest.raises(Refused, match="Only the owner or the technical lead"):
                control_mapping.end_mapping(mapping=control_of(case, 1), by=person)
        other = story.mvp_of_spring(cast, title="Another")
        with pytest.raises(Refused, match="belongs to another contract"):
            control_mapping.map_clause(case=case, clause=clause_of(other, 1), by=cast.owner, **given)
        elsewhere = {**given, "evidence": other.evidence.first()}
        with pytest.raises(Exception, match="belongs to another initiative"):
            control_mapping.map_clause(case=case, clause=clause, by=cast.owner, **elsewhere)
        ended = control_mapping.end_mapping(mapping=control_of(case, 1), by=cast.owner)
        with pytest.raises(Conflict, match="already"):
            control_mapping.end_mapping(mapping=ended, by=cast.owner)


def test_the_same_words_in_another_contract_are_mapped_by_themselves(cast, trial):
    case, _ = trial
    other = story.mvp_of_spring(cast, title="Another")
    assert clause_of(other, 1).fingerprint == clause_of(case, 1).fingerprint
    with at(2026, 9, 2):
        facts = supported_stage.facts_of(story.fresh(other))
        (in_force,) = facts.contracts
        assert len(in_force.unmapped) == len(case_acts.CLAUSES)
        assert supported_stage.facts_of(story.fresh(case)).contracts[0].unmapped == ()


@pytest.mark.django_db(transaction=True)
def test_the_map_of_a_past_day_is_what_it_was_then(as_):
    def simulated(year, month, day, hour=9):
        return clock.simulated(datetime(year, month, day, hour, tzinfo=UTC))

    with simulated(2024, 5, 2):
        cast = factories.make_cast()
        case = case_acts.to_prototype(factories.make_case(cast), cast.team)
    with simulated(2024, 6, 3):
        case = case_acts.to_mvp(case, cast.team)
        case_acts.ground_gate(case, "production", cast.team)
    with simulated(2024, 7, 1):
        control_mapping.end_mapping(mapping=control_of(case, 3), by=cast.owner)
    sealing.seal()
    auditor, page = as_(cast.auditor), reverse("contract-map", args=[case.ref])
    before = auditor.get(page, {"as_of": "2024-06-20"}).content.decode()
    after = auditor.get(page, {"as_of": "2024-07-02"}).content.decode()
    assert "Each clause has a control." in before
    assert "no control yet" not in before
    assert after.count("no control yet") == 1
    row = reverse("checklist-row", args=[case.ref, "gov.enforced"])
    assert "No control is named" not in auditor.get(row, {"as_of": "2024-06-20"}).content.decode()
    assert "No control is named for clause 3" in auditor.get(row, {"as_of": "2024-07-02"}).content.decode()


# Reports on layers


def offered(cast, case, key: str, content: str, by=None, kind: str = "") -> Evidence:
    """A report on one layer, answered and attached."""
    kind = kind or LAYERS[key]
    checklist_actions.answer(case=case, requirement=key, kind="answered", text="Audited.", by=cast.owner)
    return evidence_actions.add_evidence(
        case=case,
        kind=kind,
        title=f"Audit of {key}",
        observed_on=clock.today(),
        covers=[key],
        file=artefacts.pdf(content),
        result="" if kind == "document" else "pass",
        condition="bounded_real" if kind == "test_report" else "",
        by=by or cast.owner,
    )


@pytest.fixture
@snapshots.kept
def audited(cast):
    """An MVP since 3 August 2026, before any report on a layer."""
    return story.mvp_of_spring(cast)


def test_the_same_report_attached_to_three_layers_serves_one(cast, audited):
    case = audited
    with at(2026, 9, 1):
        for key in ("layer.policy", "layer.runtime"):
            offered(cast, case, key, "One and the same audit", kind="test_report")
        with pytest.raises(ValidationError, match="One file is one kind"):
            offered(cast, case, "layer.observability", "One and the same audit")
        grounded = {key for key in LAYERS if story.state(case, key).satisfied}
        assert grounded == {"layer.policy"}
        assert "each layer needs its own report" in story.state(case, "layer.runtime").words
        for key in ("layer.runtime", "layer.observability"):
            offered(cast, case, key, f"Audit of {key} alone")
        assert all(story.state(case, key).satisfied for key in LAYERS)


# The contract first


FIRST = "The contract came into force on 3 August, after the first architecture decision on "


def decided(cast, case, on: date, title="A queue between the two", by=None):
    """A decision on architecture of that day."""
    return control_mapping.record_architecture_decision(
        case=case, title=title, text="It can wait.", decided_on=on, by=by or cast.lead
    )


def test_a_contract_later_than_the_first_decision_is_told_to_owner_and_board(cast, as_, trial):
    case, review = trial
    pages = {cast.owner: case.get_absolute_url(), cast.seat_risk: review.get_absolute_url()}

    def told() -> list[bool]:
        return [
            "Architecture came before the contract." in as_(who).get(page).content.decode()
            for who, page in pages.items()
        ]

    with at(2026, 9, 2):
        assert told() == [False, False]
        decided(cast, case, date(2026, 5, 9), "Chosen while it was an idea")
        assert told() == [False, False], "before the prototype gate, which was decided on 10 May"
        decided(cast, case, date(2026, 8, 3), "On the day of the contract")
        assert told() == [False, False]
        early = decided(cast, case, date(2026, 7, 2))
        assert told() == [True, True]
        page = as_(cast.owner).get(case.get_absolute_url()).content.decode()
        assert f"{FIRST}2 July." in page
        running = as_(cast.owner).get(reverse("running", args=[case.ref])).content.decode()
        assert "A queue between the two" in running
        withdrawing = reverse("architecture-withdraw", args=[early.pk])
        assert as_(cast.seat_risk).get(withdrawing).status_code == 403
        assert as_(cast.lead).post(withdrawing, {"reason": ""}).status_code == 200
        assert told() == [True, True]
        assert as_(cast.lead).post(withdrawing, {"reason": "Another case."}).status_code == 302
        assert told() == [False, False]
        kept = as_(cast.owner).get(reverse("running", args=[case.ref])).content.decode()
        assert "Another case." in kept
        with pytest.raises(Conflict, match="already"):
            control_mapping.withdraw_architecture_decision(decision=early, reason="Again.", by=cast.owner)


def test_a_decision_without_any_contract_is_told_too(cast, as_):
    with at(2026, 5, 10):
        case = factories.make_prototype(cast)
    with at(2026, 6, 1):
        form = reverse("architecture-add", args=[case.ref])
        owner = as_(cast.owner)
        sent = {"title": "One database", "text": "Fewer parts.", "decided_on": "2026-06-02"}
        assert "That day has not come yet." in owner.post(form, sent).content.decode()
        assert owner.post(form, sent | {"decided_on": "2026-05-20"}).status_code == 302
        page = owner.get(case.get_absolute_url()).content.decode()
        assert "No contract is in force yet; the first architecture decision was made on 20 May." in page
        with pytest.raises(Refused, match="Only the owner or the technical lead"):
            decided(cast, case, date(2026, 5, 20), by=cast.seat_risk)
