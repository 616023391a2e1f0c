"""What enforces the contract: each clause a control, each layer a report read from outside, the contract first."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from adoption.demo import artefacts, initiative_acts
from governance import clock
from governance.contracts.clauses import Terms
from governance.models import Clause
from governance.permission_result import Conflict, Refused
from governance.transparency_log import sealing
from initiatives.contracts.documents import actions as contract_actions
from initiatives.contracts.documents import control_mapping
from initiatives.contracts.documents.actions import Written
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.initiative.rehearsal import rehearse
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.models import ClauseEnforcement, Evidence
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
    initiative = story.mvp_of_spring(cast)
    with at(2026, 9, 1):
        story.renew(initiative, cast)
        initiative_acts.ground_gate(initiative, "production", cast.team)
        review = review_actions.open_review(initiative=story.fresh(initiative), by=cast.owner)
    return story.fresh(initiative), review


def control_of(initiative, number: int) -> ClauseEnforcement:
    """The current mapping of the clause with this number."""
    return ClauseEnforcement.objects.current().get(initiative=initiative, clause__number=number)


def clause_of(initiative, number: int) -> Clause:
    """The clause with this number, of the newest version."""
    return (
        Clause.objects.filter(version__contract=initiative.contract, number=number)
        .order_by("-version")
        .first()
    )


# The map


def test_one_clause_without_a_control_keeps_the_production_gate_closed_and_is_named(cast, as_, trial):
    initiative, review = trial
    page = reverse("contract", args=[initiative.ref])
    with at(2026, 9, 2):
        lead = as_(cast.lead)
        assert story.state(initiative, "gov.enforced").satisfied
        assert story.span(initiative).supported == "production"
        assert "Each clause has a control." in lead.get(page).content.decode()
        third = control_of(initiative, 3)
        ending = reverse("row-act", args=["mappings", third.pk, "close"])
        told = lead.post(ending, confirm=False).content.decode()
        assert "No control is named for clause 3" in told, "what ending it ends is told before"
        assert lead.post(ending).status_code == 302
    with at(2026, 9, 3):
        lead = as_(cast.lead)
        sentence = third.clause.sentence
        found = story.state(initiative, "gov.enforced")
        assert (found.state, found.words) == ("unmapped", f"No control is named for clause 3: {sentence}")
        assert f"No control is named for clause 3: {sentence}" in story.blockers(review)
        assert not story.snapshot(review).verdict.decidable
        assert story.span(initiative).supported == "mvp", "the kept supported stage follows the act"
        shown = lead.get(page).content.decode()
        assert shown.count("no control yet") == 1
        assert "1 clause without a control" in shown
        row = lead.get(reverse("requirement", args=[initiative.ref, "gov.enforced"])).content.decode()
        assert "No control is named for clause 3" in row
        listed = lead.get(reverse("requirements", args=[initiative.ref])).content.decode()
        assert page in listed, "the row leads to the map"
    with at(2026, 9, 4):
        lead = as_(cast.lead)
        form = reverse("row-act", args=["clauses", third.clause_id, "name-control"])
        empty = lead.post(form, {"layer": "policy", "control": "", "evidence": ""})
        assert empty.status_code == 200
        assert ClauseEnforcement.objects.current().filter(clause=third.clause).count() == 0
        sent = {"layer": "runtime", "control": "A person checks weekly.", "evidence": third.evidence_id}
        assert lead.post(form, sent).status_code == 302
        assert story.state(initiative, "gov.enforced").satisfied
        assert "No control" not in story.blockers(review)
        assert story.span(initiative).supported == "production"
        assert "A person checks weekly." in lead.get(page).content.decode()
        told = lead.get(reverse("initiative-activity", args=[initiative.ref])).content.decode()
        assert "named a control for clause 3 of contract version 1, in the runtime layer" in told


def test_a_clause_that_is_reworded_is_mapped_again_and_the_others_carry_over(cast, as_, trial):
    initiative, review = trial
    with at(2026, 9, 10):
        before = list(initiative.contract.in_force_at(clock.now()).clauses.all())
        clauses = [Written(one.kind, one.sentence, one.said, one.number) for one in before]
        wider = replace(clauses[0].terms, most=300)
        clauses[0] = replace(clauses[0], terms=wider, sentence="")
        initiative_acts.contract(initiative, cast.team, clauses, ())
        initiative = story.fresh(initiative)
        found = story.state(initiative, "gov.enforced")
        assert found.state == "unmapped"
        assert found.words.startswith("No control is named for clause 1: It may summarise")
        assert "300 at a time" in found.words
        assert "Nor" not in found.words, "the other clauses say what they said"
        assert found.words in story.blockers(review)
        shown = as_(cast.owner).get(reverse("contract", args=[initiative.ref])).content.decode()
        assert shown.count("Carried over from version 1.") == len(before) - 1
        assert shown.count("no control yet") == 1
        initiative_acts.ground(initiative, "gov.enforced", cast.team)
        assert story.state(initiative, "gov.enforced").satisfied
        newest = ClauseEnforcement.objects.current().filter(initiative=initiative).latest("pk")
        assert newest.clause == clause_of(initiative, 1)
        old = Clause.objects.get(version__contract=initiative.contract, version__number=1, number=1)
        with pytest.raises(Refused, match="Version 1 of the contract is not approved, or it has ended"):
            control_mapping.map_clause(
                initiative=initiative,
                clause=old,
                layer="policy",
                control="Late.",
                evidence=initiative.evidence.first(),
                by=cast.owner,
            )


def test_a_version_that_starts_later_closes_the_gate_on_its_day_and_can_be_mapped_before(cast, trial):
    initiative, _ = trial
    with at(2026, 9, 10):
        contract_actions.save_contract(
            initiative=initiative,
            clauses=[*initiative_acts.CLAUSES, Written("retention", terms=Terms(days=900))],
            wanted_from=date(2026, 9, 20),
            by=cast.owner,
        )
        version = contract_actions.propose_contract(initiative=story.fresh(initiative), by=cast.owner)
        draft = version.clauses.get(kind="retention")
        evidence = initiative.evidence.filter(coverage__requirement="gov.enforced").first()
        given = {
            "layer": "observability",
            "control": "Counted yearly.",
            "evidence": evidence,
            "by": cast.lead,
        }
        with pytest.raises(Refused, match="Version 2 of the contract is not approved, or it has ended"):
            control_mapping.map_clause(initiative=story.fresh(initiative), clause=draft, **given)
        for seat in ("risk_compliance", "business_value"):
            contract_actions.approve_contract(
                version=version, seat=seat, digest=version.digest, by=cast.team.seats[seat]
            )
        initiative = story.fresh(initiative)
        assert story.state(initiative, "gov.enforced").state != "unmapped", "the old version binds until then"
        with story.undone():
            control_mapping.map_clause(initiative=initiative, clause=draft, **given)
            with at(2026, 9, 21):
                assert story.state(initiative, "gov.enforced").state != "unmapped"
    with at(2026, 9, 21):
        assert story.state(initiative, "gov.enforced").words == (
            f"No control is named for clause {draft.number}: Records of what it does are kept for 900 days."
        )


def test_evidence_that_is_withdrawn_or_replaced_maps_nothing_any_more(cast, as_, trial):
    initiative, _ = trial
    with at(2026, 9, 2):
        other = evidence_actions.add_evidence(
            initiative=initiative,
            kind="system_record",
            title="Export of the rules",
            observed_on=clock.today(),
            covers=["gov.enforced"],
            file=artefacts.pdf("Export of the rules"),
            by=cast.owner,
        )
        control_mapping.close_mapping(mapping=control_of(initiative, 2), by=cast.lead)
        given = {"layer": "policy", "control": "The rules.", "evidence": other, "by": cast.lead}
        control_mapping.map_clause(initiative=initiative, clause=clause_of(initiative, 2), **given)
        assert story.state(initiative, "gov.enforced").satisfied
        with pytest.raises(Exception, match="already named for the clause"):
            control_mapping.map_clause(initiative=initiative, clause=clause_of(initiative, 2), **given)
        with story.undone():
            effects = rehearse(
                lambda: evidence_actions.withdraw_evidence(evidence=other, reason="Not ours.", by=cast.owner),
                by=cast.owner,
                initiative=initiative,
            )
            assert any("No control is named for clause 2" in line for line in effects)
            evidence_actions.withdraw_evidence(evidence=other, reason="Not ours.", by=cast.owner)
            assert "clause 2" in story.state(initiative, "gov.enforced").words
            with pytest.raises(Exception, match="Choose an item that counts"):
                control_mapping.map_clause(initiative=initiative, clause=clause_of(initiative, 2), **given)
        evidence_actions.add_evidence(
            initiative=initiative,
            kind="system_record",
            title="Export of the rules, again",
            observed_on=clock.today(),
            covers=["gov.enforced"],
            file=artefacts.pdf("Export of the rules, again"),
            supersedes=other,
            by=cast.owner,
        )
        assert "clause 2" in story.state(initiative, "gov.enforced").words
        shown = as_(cast.owner).get(reverse("contract", args=[initiative.ref])).content.decode()
        assert "Name the control again, with newer evidence" in shown


def test_who_maps_and_what(cast, trial):
    initiative, _ = trial
    with at(2026, 9, 2):
        evidence = initiative.evidence.first()
        given = {"layer": "policy", "control": "The rules.", "evidence": evidence}
        clause = clause_of(initiative, 1)
        for person in (cast.support, cast.seat_risk, cast.chair, cast.admin, cast.outsider):
            with pytest.raises(Refused, match="Only the owner or the technical lead"):
                control_mapping.map_clause(initiative=initiative, clause=clause, by=person, **given)
            with pytest.raises(Refused, match="Only the owner or the technical lead"):
                control_mapping.close_mapping(mapping=control_of(initiative, 1), by=person)
        other = story.mvp_of_spring(cast, title="Another")
        with pytest.raises(Refused, match="belongs to another contract"):
            control_mapping.map_clause(
                initiative=initiative, clause=clause_of(other, 1), by=cast.owner, **given
            )
        elsewhere = {**given, "evidence": other.evidence.first()}
        with pytest.raises(Exception, match="belongs to another initiative"):
            control_mapping.map_clause(initiative=initiative, clause=clause, by=cast.owner, **elsewhere)
        ended = control_mapping.close_mapping(mapping=control_of(initiative, 1), by=cast.owner)
        with pytest.raises(Conflict, match="already"):
            control_mapping.close_mapping(mapping=ended, by=cast.owner)


def test_the_same_words_in_another_contract_are_mapped_by_themselves(cast, trial):
    initiative, _ = trial
    other = story.mvp_of_spring(cast, title="Another")
    assert clause_of(other, 1).fingerprint == clause_of(initiative, 1).fingerprint
    with at(2026, 9, 2):
        facts = supported_stage.facts_of(story.fresh(other))
        (in_force,) = facts.contracts
        assert len(in_force.unmapped) == len(initiative_acts.CLAUSES)
        assert supported_stage.facts_of(story.fresh(initiative)).contracts[0].unmapped == ()


@pytest.mark.django_db(transaction=True)
def test_the_map_of_a_past_day_is_what_it_was_then(as_):
    def simulated(year, month, day, hour=9):
        return clock.simulated(datetime(year, month, day, hour, tzinfo=UTC))

    with simulated(2024, 5, 2):
        cast = factories.make_cast()
        initiative = initiative_acts.to_prototype(factories.make_initiative(cast), cast.team)
    with simulated(2024, 6, 3):
        initiative = initiative_acts.to_mvp(initiative, cast.team)
        initiative_acts.ground_gate(initiative, "production", cast.team)
    with simulated(2024, 7, 1):
        control_mapping.close_mapping(mapping=control_of(initiative, 3), by=cast.owner)
    sealing.seal()
    auditor, page = as_(cast.auditor), reverse("contract", args=[initiative.ref])
    before = auditor.get(page, {"as_of": "2024-06-20"}).content.decode()
    after = auditor.get(page, {"as_of": "2024-07-02"}).content.decode()
    assert "Each clause has a control." in before
    assert "no control yet" not in before
    assert after.count("no control yet") == 1
    row = reverse("requirement", args=[initiative.ref, "gov.enforced"])
    assert "No control is named" not in auditor.get(row, {"as_of": "2024-06-20"}).content.decode()
    assert "No control is named for clause 3" in auditor.get(row, {"as_of": "2024-07-02"}).content.decode()


# Reports on layers


def offered(cast, initiative, key: str, content: str, by=None, kind: str = "") -> Evidence:
    """A report on one layer, answered and attached."""
    kind = kind or LAYERS[key]
    requirement_actions.answer(
        initiative=initiative, requirement=key, kind="answered", text="Audited.", by=cast.owner
    )
    return evidence_actions.add_evidence(
        initiative=initiative,
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
    initiative = audited
    with at(2026, 9, 1):
        for key in ("layer.policy", "layer.runtime"):
            offered(cast, initiative, key, "One and the same audit", kind="test_report")
        with pytest.raises(ValidationError, match="A file has one kind"):
            offered(cast, initiative, "layer.observability", "One and the same audit")
        grounded = {key for key in LAYERS if story.state(initiative, key).satisfied}
        assert grounded == {"layer.policy"}
        assert "Each layer needs its own report" in story.state(initiative, "layer.runtime").words
        for key in ("layer.runtime", "layer.observability"):
            offered(cast, initiative, key, f"Audit of {key} alone")
        assert all(story.state(initiative, key).satisfied for key in LAYERS)


# The contract first


FIRST = "The contract came into force on 3 August, after the first architecture decision on "


def decided(cast, initiative, on: date, title="A queue between the two", by=None):
    """A decision on architecture of that day."""
    return control_mapping.record_architecture_decision(
        initiative=initiative, title=title, text="It can wait.", decided_on=on, by=by or cast.lead
    )


def test_a_contract_later_than_the_first_decision_is_told_to_owner_and_board(cast, as_, trial):
    initiative, review = trial
    pages = {cast.owner: initiative.get_absolute_url(), cast.seat_risk: review.get_absolute_url()}

    def told() -> list[bool]:
        return [
            "An architecture decision was made before a contract was in force."
            in as_(who).get(page).content.decode()
            for who, page in pages.items()
        ]

    with at(2026, 9, 2):
        assert told() == [False, False]
        decided(cast, initiative, date(2026, 5, 9), "Chosen while it was an idea")
        assert told() == [False, False], "before the prototype gate, which was decided on 10 May"
        decided(cast, initiative, date(2026, 8, 3), "On the day of the contract")
        assert told() == [False, False]
        early = decided(cast, initiative, date(2026, 7, 2))
        assert told() == [True, True]
        page = as_(cast.owner).get(initiative.get_absolute_url()).content.decode()
        assert f"{FIRST}2 July." in page
        running = as_(cast.owner).get(reverse("deployments", args=[initiative.ref])).content.decode()
        assert "A queue between the two" in running
        withdrawing = reverse("row-act", args=["architecture", early.pk, "withdraw"])
        assert as_(cast.seat_risk).get(withdrawing).status_code == 403
        assert as_(cast.lead).post(withdrawing, {"reason": ""}).status_code == 200
        assert told() == [True, True]
        assert as_(cast.lead).post(withdrawing, {"reason": "Another initiative."}).status_code == 302
        assert told() == [False, False]
        kept = as_(cast.owner).get(reverse("deployments", args=[initiative.ref])).content.decode()
        assert "Another initiative." in kept
        with pytest.raises(Conflict, match="already"):
            control_mapping.withdraw_architecture_decision(decision=early, reason="Again.", by=cast.owner)


def test_a_decision_without_any_contract_is_told_too(cast, as_):
    with at(2026, 5, 10):
        initiative = factories.make_prototype(cast)
    with at(2026, 6, 1):
        form = reverse("initiative-act", args=[initiative.ref, "record-decision"])
        owner = as_(cast.owner)
        sent = {"title": "One database", "text": "Fewer parts.", "decided_on": "2026-06-02"}
        assert "2 June 2026 is in the future" in owner.post(form, sent).content.decode()
        assert owner.post(form, sent | {"decided_on": "2026-05-20"}).status_code == 302
        page = owner.get(initiative.get_absolute_url()).content.decode()
        assert "No contract is in force yet. The first architecture decision was made on 20 May." in page
        with pytest.raises(Refused, match="Only the owner or the technical lead"):
            decided(cast, initiative, date(2026, 5, 20), by=cast.seat_risk)
