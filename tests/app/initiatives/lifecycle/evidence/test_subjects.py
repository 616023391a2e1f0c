"""A requirement names what its evidence must be about: nothing about something else can be attached to it."""

from collections import Counter

import pytest
from django.core.exceptions import ValidationError

from adoption.demo import artefacts, initiative_acts
from governance import clock
from governance.models import Clause
from governance.rulebook import parse, shipped_text
from governance.vocabulary import KINDS_TESTED, EvidenceKind, Tested
from initiatives.contracts.documents import control_mapping
from initiatives.lifecycle.evidence import actions as evidence_actions
from tests.support import factories
from tests.support.initiatives import contradictions
from tests.support.initiatives.initiative_pages import at, text_of
from tests.support.rules.artefact_rules import GIVEN

pytestmark = pytest.mark.django_db
RULEBOOK = parse(shipped_text())


@pytest.fixture
def initiative(cast):
    factories.make_rulebook(cast.admin, cast.chair, shipped_text())
    return factories.make_prototype(cast)


def report(initiative, cast, tested: str, covers: list[str], kind="test_report", **fields):
    return evidence_actions.add_evidence(
        initiative=initiative,
        kind=kind,
        title=f"Report on {tested} of {covers[0]}",
        observed_on=clock.today(),
        covers=covers,
        file=artefacts.pdf(f"{tested} {covers}"),
        result="pass",
        condition="bounded_real",
        details=GIVEN[kind] | {"tested": tested},
        by=cast.owner,
        **fields,
    )


def wrong_attachments():
    """Each requirement with each kind, and what it is about, that cannot answer it."""
    for key, asked in RULEBOOK.requirements.items():
        for kind in EvidenceKind:
            for tested in Tested if kind in KINDS_TESTED else [""]:
                if kind not in asked.evidence or not asked.takes(kind, tested):
                    yield key, kind, tested


def test_every_wrong_attachment_is_refused_in_words(initiative):
    wrong = list(wrong_attachments())
    assert len(wrong) > 500
    for key, kind, tested in wrong:
        found = evidence_actions.check_evidence(
            initiative,
            kind=kind,
            title="What was found",
            observed_on=clock.today(),
            covers=[key],
            result="pass" if kind in RULEBOOK.result_kinds else "",
            condition="bounded_real" if kind in RULEBOOK.condition_kinds else "",
            file=artefacts.pdf("What was found"),
            details=GIVEN.get(kind, {}) | {"tested": tested},
            register="drills" if kind == EvidenceKind.DRILL_RECORD else "",
        )
        said = found.get("covers") or found.get("kind")
        assert said, (key, kind, tested)
        assert RULEBOOK.requirements[key].question in said or said.startswith(
            "This kind of evidence cannot be uploaded."
        )


def test_a_report_on_accuracy_says_nothing_of_the_contract(initiative, cast):
    said = (
        "The test report is about “Quality of results”, but this requirement asks for “Compliance with the "
        "contract”."
    )
    with pytest.raises(ValidationError, match=said):
        report(initiative, cast, "quality", ["gov.enforced"])
    item = report(initiative, cast, "quality", ["proto.limitations"])
    with pytest.raises(ValidationError, match=said):
        evidence_actions.cover(evidence=item, requirements=["gov.enforced"], by=cast.owner)


def test_a_report_that_does_not_say_what_it_is_about_is_not_taken(initiative, cast):
    with pytest.raises(ValidationError) as caught:
        report(initiative, cast, "", ["proto.limitations"])
    assert "Some requirements accept only certain subjects" in str(
        caught.value.message_dict["test_report_tested"]
    )


def test_the_form_of_a_requirement_offers_only_what_it_asks(initiative, cast, as_):
    page = text_of(as_(cast.owner).get(at("requirement", initiative.ref, "proto.limitations")))
    assert '<option value="quality" selected>' in page
    assert '<option value="use"' not in page


def test_an_item_about_something_else_is_not_offered(initiative, cast, as_):
    report(initiative, cast, "use", ["mvp.workflow"], kind="user_research")
    page = text_of(as_(cast.owner).get(at("requirement", initiative.ref, "mvp.expectations")))
    assert "Report on use" not in page
    report(initiative, cast, "understanding", ["prod.q11_expectations"], kind="user_research")
    page = text_of(as_(cast.owner).get(at("requirement", initiative.ref, "mvp.expectations")))
    assert "Report on understanding" in page


def test_the_check_of_the_demo_finds_what_contradicts_itself(cast):
    """What an earlier rulebook took, four calls titled forty, and a verdict in the second of its opening."""
    initiative = factories.make_prototype(cast)
    item = report(initiative, cast, "quality", ["gov.enforced"])
    factories.make_rulebook(cast.admin, cast.chair, shipped_text())
    sample = evidence_actions.add_evidence(
        initiative=initiative,
        kind="log_sample",
        title="Forty logged calls",
        observed_on=clock.today(),
        covers=["mvp.observability"],
        file=artefacts.log_of("calls", clock.today()),
        result="pass",
        by=cast.owner,
    )
    initiative_acts.say(initiative, "mvp.observability", cast.team)
    with clock.simulated(clock.now()):
        artefacts.verify_item(sample, "mvp.observability", 1, cast.seat_risk)
    found = " ".join(contradictions.all_of(Counter()))
    assert f"“{item.title}” is about something else than gov.enforced." in found
    assert "“Forty logged calls”: stated 40, found 4." in found
    assert "took no time." in found


def test_what_shows_no_control_is_named_for_no_clause(initiative, cast):
    initiative = factories.make_contract(
        cast, initiative, initiative_acts.CLAUSES, initiative_acts.VOCABULARY
    )
    clause = Clause.objects.filter(version__contract__initiative=initiative).first()
    item = report(initiative, cast, "quality", ["proto.limitations"])
    named = {
        "initiative": initiative,
        "clause": clause,
        "layer": "runtime",
        "control": "A filter.",
        "by": cast.owner,
    }
    with pytest.raises(ValidationError, match="This evidence does not show a control"):
        control_mapping.map_clause(evidence=item, **named)
    shown = report(initiative, cast, "enforcement", ["gov.enforced"])
    assert control_mapping.map_clause(evidence=shown, **named).evidence == shown
