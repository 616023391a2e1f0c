"""A requirement names what its evidence must be about: nothing about something else can be attached to it."""

import json
import random
from collections import Counter

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction

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
from tests.support.servers import pipeline_issuers

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


def test_the_page_refuses_wrong_attachments_and_adds_nothing(initiative, cast, as_, rounds):
    """Forty drawn at random, each of them under `--rounds 500`."""
    wrong, client = list(wrong_attachments()), as_(cast.owner)
    before = initiative.evidence.count()
    for key, kind, tested in random.Random(62).sample(wrong, min(len(wrong), 8 * rounds)):
        sent = {
            "kind": kind,
            "covers": [key],
            "title": "What was found",
            "observed_on": clock.today().isoformat(),
            "result": "pass",
            "condition": "bounded_real",
            "file": SimpleUploadedFile("found.pdf", artefacts.pdf("What was found").read()),
            **{f"{kind}_{name}": value for name, value in GIVEN.get(kind, {}).items()},
            f"{kind}_tested": tested,
        }
        page = client.post(at("evidence-add", initiative.ref), sent)
        assert page.status_code in (200, 422), (key, kind, tested, page.status_code)
        form = page.context.get("form")
        assert form.errors.get("covers") if form else page.context["why"], (key, kind, tested)
    assert initiative.evidence.count() == before


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


def named_rows(cast, title: str) -> dict[str, int]:
    """A row of an initiative of this title for each column that says what a row is about."""
    initiative = factories.make_production(cast, title=title)
    link = factories.make_link(cast, initiative, factories.make_system(cast, name=title))  # a change, too
    contract, item = initiative.contract.versions.first(), initiative.evidence.first()
    return {
        "acceptance": initiative.roles.first().pk,
        "change": initiative.changes.first().pk,
        "clause": contract.clauses.first().pk,
        "contract_version": contract.pk,
        "deployment": initiative.deployments.first().pk,
        "link": link.pk,
        "pipeline": pipeline_issuers.make_declared(cast, initiative, name=title).pk,
        "scope_version": initiative.scopes.first().pk,
        "initiative": initiative.pk,
    } | dict.fromkeys(("evidence", "diagram", "drill", "mapping_evidence"), item.pk)


def test_the_database_refuses_a_subject_of_another_initiative(cast):
    own, other = named_rows(cast, "One"), named_rows(cast, "Another")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, encode(tgargs, 'escape') FROM pg_trigger"
            " WHERE tgname = 'about_one_initiative'"
        )
        guarded = {table: names.split("\\000")[:-1] for table, names in cursor.fetchall()}
    assert len(guarded) == 13
    for table, names in guarded.items():
        has = apps.get_model(table.replace("_", ".", 1))._meta
        own_names = ["initiative"] if "initiative" in {one.name for one in has.fields} else names[:1]
        for name in [one for one in names if one not in own_names]:
            row = {f"{one}_id": own[one] for one in own_names} | {f"{name}_id": other[name]}
            with pytest.raises(DatabaseError) as refused, transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(
                    f"INSERT INTO {table} SELECT (jsonb_populate_record(NULL::{table}, %s)).*",
                    [json.dumps(row)],
                )
            assert refused.value.__cause__.sqlstate == "PL092", (table, name, refused.value)
