"""Artefacts: what only the thing fits is taken, all else refused in a sentence, by act, page and database."""

from html import unescape

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import DatabaseError, connection

from adoption.demo import artefacts, initiative_acts
from governance import clock
from governance.database.row_history import acting
from governance.models import Clause, Entry, Rulebook
from governance.vocabulary import EvidenceKind
from initiatives.inbox.rows.person_rows import Look
from initiatives.integration.record import actions as register_actions
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.evidence import file_check_inbox
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.models import Evidence
from tests.support import factories
from tests.support.initiatives.initiative_pages import acts, at, text_of
from tests.support.rules.artefact_rules import DETAILED, GIVEN, LOG, REGISTERED, with_forms

pytestmark = pytest.mark.django_db

COVERS = {
    "document": "proto.scope",
    "test_report": "mvp.possibility",
    "log_sample": "mvp.observability",
    "user_research": "adopt.trust",
    "decision_record": "prod.maintenance",
    "system_record": "int.inventory",
    "telemetry": "prod.monitoring",
    "drill_record": "prod.q10_outage",
    "contract_clause": "gov.autonomy",
}
# What says why, under the rulebook whose kinds have forms, where all that is sent is the letter x.
SAID = {
    "document": "The answer repeats one character",
    "test_report": "Name the data set that was used for the test.",
    "log_sample": "no rows below its header",
    "user_research": "Enter the number of people who took part.",
    "decision_record": "Name the person who decided.",
    "system_record": "A system record is a text from the integration register.",
    "telemetry": "Telemetry consists of the initiative's measurements.",
    "drill_record": "A drill record is a drill that was recorded on the drills page.",
    "contract_clause": "A contract clause is a clause of the contract in force",
}


@pytest.fixture
def initiative(cast):
    return factories.make_initiative(cast)


@pytest.fixture
def forms(cast):
    """The rulebook in force holds kinds to their form."""
    return factories.make_rulebook(cast.admin, cast.chair, with_forms())


def added(initiative):
    """What was added to an initiative, beside the acceptance of its owner."""
    return initiative.evidence.exclude(kind="attestation")


def text_file(text: str, name: str = "notes.txt") -> ContentFile:
    return ContentFile(text.encode(), name)


def evidence(initiative, cast, kind="document", **fields):
    rulebook = Rulebook.objects.current().parsed
    said = {"title": "What was found in May", "observed_on": clock.today(), "covers": [COVERS[kind]]}
    said |= {"file": artefacts.pdf(f"{kind} {fields}")}
    said |= {"result": "pass"} if kind in rulebook.result_kinds else {}
    said |= {"condition": "bounded_real"} if kind in rulebook.condition_kinds else {}
    return evidence_actions.add_evidence(initiative=initiative, kind=kind, by=cast.owner, **(said | fields))


def refusal(add, *given, **fields) -> dict:
    before = Evidence.objects.count()
    with pytest.raises(ValidationError) as caught:
        add(*given, **fields)
    assert Evidence.objects.count() == before
    return {name: said[0] for name, said in caught.value.message_dict.items()}


def sent(kind: str, **fields) -> dict:
    """What a browser sends for a new item of this kind, its form filled in truthfully."""
    form = {f"{kind}_{name}": value for name, value in GIVEN.get(kind, {}).items()}
    said = {"kind": kind, "covers": [COVERS[kind]], "title": "What was found", "result": "pass"}
    said |= {"condition": "bounded_real", "observed_on": clock.today().isoformat()}
    return said | form | fields


# T1: one file of one byte


def one_byte(initiative, kind: str) -> dict:
    return sent(kind, **{f"{kind}_{name}": "" for name in GIVEN.get(kind, {})}) | {
        "title": "x",
        "note": "x",
        "file": text_file("x", "x.txt"),
    }


@pytest.mark.parametrize("later", [False, True])
def test_one_byte_titled_x_is_no_evidence_of_any_kind(cast, as_, initiative, request, later):
    if later:
        request.getfixturevalue("forms")
    client = as_(cast.owner)
    for kind, said in SAID.items():
        with acts() as kinds:
            page = text_of(
                client.post(at("evidence-add", initiative.ref, kind=kind), one_byte(initiative, kind))
            )
        assert kinds == [], kind
        assert (said if later else "The answer repeats one character") in unescape(page), kind
    assert not added(initiative).exists()


@pytest.mark.parametrize("later", [False, True])
def test_one_byte_is_no_answer_and_no_evidence_in_a_row_of_the_requirements(
    cast, as_, initiative, request, later
):
    if later:
        request.getfixturevalue("forms")
    client = as_(cast.owner)
    for kind, key in COVERS.items():
        typed = {
            "kind": "answered",
            "text": "x",
            "based_on": "0",
            "evidence-kind": kind,
            "evidence-title": "x",
        }
        typed |= {"evidence-file": text_file("x", "x.txt"), "evidence-observed_on": clock.today().isoformat()}
        with acts() as kinds:
            answer = client.post(at("requirement", initiative.ref, key), typed)
        page = text_of(answer)
        assert (answer.status_code, kinds) == (422, []), kind
        assert (
            "The answer repeats one character" in page
            or "Name the" in page
            or "Enter the number" in page
            or "cannot be uploaded" in page
        ), kind
    assert not added(initiative).exists()
    assert not initiative.answers.filter(requirement__in=COVERS.values()).exists()


# What says nothing is refused under every rulebook


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x", "one character"),
        ("n/a n/a", "one word"),
        ("...", "has no words"),
        ("what requirement would an honest experiment answer", "answer repeats the requirement"),
    ],
)
def test_an_answer_that_says_nothing_is_refused(cast, initiative, text, said):
    asked = Rulebook.objects.current().parsed.requirements["proto.question"].question
    given = asked.upper() if said == "answer repeats the requirement" else text
    for kind in ("answered", "no", "not_applicable"):
        with pytest.raises(ValidationError) as caught:
            requirement_actions.answer(
                initiative=initiative, requirement="proto.question", kind=kind, text=given, by=cast.owner
            )
        assert said in caught.value.message_dict["text"][0]
    assert not initiative.answers.filter(requirement="proto.question").exists()


def test_a_title_and_a_note_that_say_nothing_are_refused(cast, initiative):
    asked = Rulebook.objects.current().parsed.requirements["proto.scope"].question
    assert "one character" in refusal(evidence, initiative, cast, title="YYY")["title"]
    assert "one word" in refusal(evidence, initiative, cast, note="see see, see.")["note"]
    assert "answer repeats the requirement" in refusal(evidence, initiative, cast, note=asked)["note"]
    assert evidence(initiative, cast, note="  ").note == "", "nobody has to write a note"


def test_a_file_that_says_nothing_is_refused(cast, initiative):
    for text in ("", " \n\t\n", "x", "\ufeff", "xxxxxxxx\nxxx", "same same\nsame", "{}"):
        assert "file" in refusal(evidence, initiative, cast, file=text_file(text))
        name = "empty.json" if text == "{}" else "empty.csv"
        assert "file" in refusal(evidence, initiative, cast, file=text_file(text, name))


# One file is one kind


def test_one_file_is_one_kind_on_a_initiative_and_may_serve_many_requirements(cast, as_, initiative):
    first = evidence(initiative, cast, file=text_file("The scope, in words."))
    said = refusal(
        evidence, initiative, cast, "test_report", file=text_file("The scope, in words.", "other.txt")
    )
    assert "already here as a document, “What was found in May”" in said["file"]
    again = evidence(
        initiative,
        cast,
        title="For the problem",
        covers=["mvp.problem"],
        file=text_file("The scope, in words."),
    )
    assert (again.sha256, again.kind) == (first.sha256, first.kind)
    page = text_of(as_(cast.owner).get(at("evidence-item", initiative.ref, again.pk)))
    assert "The same file is also in" in page
    assert "What was found in May" in page
    other = factories.make_initiative(cast, title="Another")
    assert evidence(other, cast, "test_report", file=text_file("The scope, in words.")).kind == "test_report"


def test_a_file_of_the_wrong_kind_is_withdrawn_and_added_again(cast, initiative):
    first = evidence(initiative, cast, file=text_file("Results of May."))
    evidence_actions.withdraw_evidence(evidence=first, reason="It is a test report.", by=cast.owner)
    assert evidence(initiative, cast, "test_report", file=text_file("Results of May.")).sha256 == first.sha256


def test_the_database_holds_one_kind_to_a_file_too(cast, initiative):
    first = evidence(initiative, cast, file=text_file("Results of May."))

    def copy(**fields):
        row = Evidence.objects.get(pk=first.pk)
        row.pk = row.id = None
        row._state.adding = True
        for name, value in fields.items():
            setattr(row, name, value)
        with acting(system="test", reason="Past the acts"):
            row.save()

    with pytest.raises(DatabaseError, match="one file is one kind"):
        copy(kind="test_report")
    copy()
    copy(kind="test_report", sha256="", file="")
    change = "UPDATE initiatives_evidence SET details = '{}'::jsonb || '{\"n\": 3}' WHERE id = %s"
    with (
        pytest.raises(DatabaseError, match="of initiatives_evidence stays"),
        acting(system="test", reason="Past the acts"),
        connection.cursor() as cursor,
    ):
        cursor.execute(change, [first.pk])


# Forms


@pytest.mark.parametrize("kind", DETAILED)
def test_a_kind_with_a_form_is_taken_with_it_and_refused_without(cast, forms, initiative, kind):
    file = {"file": ContentFile(LOG, "log.csv")}
    bare = refusal(evidence, initiative, cast, kind, **({} if kind == "log_sample" else file))
    lacking = {f"{kind}_{name}" for name in GIVEN[kind]} or {"file"}
    assert set(bare) == lacking
    item = evidence(initiative, cast, kind, details=GIVEN[kind], **file)
    form = GIVEN[kind].keys() | {"file_rows"} if GIVEN[kind] else {"rows", "columns", "filled", "models"}
    assert item.details.keys() == form
    assert (
        Entry.objects.acts().filter(kind="evidence added").latest("id").facts["facts"]["details"]
        == item.details
    )


def test_without_a_form_in_force_nothing_is_asked_or_kept(cast, initiative):
    for kind in ("test_report", "log_sample", "telemetry", "system_record"):
        assert evidence(initiative, cast, kind, details=GIVEN.get(kind)).details == {}


def test_nobody_claims_a_register_by_a_form(cast, forms, initiative):
    item = evidence(initiative, cast, "test_report", details=GIVEN["test_report"] | {"register": "drills"})
    assert "register" not in item.details


def test_a_log_sample_is_counted_and_not_taken_from_a_link(cast, forms, initiative):
    item = evidence(initiative, cast, "log_sample", file=ContentFile(LOG, "log.csv"))
    assert item.details == {
        "rows": 2,
        "columns": ["input", "output", "actor", "time", "model version"],
        "filled": 100,
        "models": {"m-4": 2},
    }
    said = refusal(evidence, initiative, cast, "log_sample", file=None, link="https://example.org/log")
    assert "cannot count the rows behind a link" in said["file"]
    short = LOG.replace(b"answer", b"remark")
    assert (
        "was found for output"
        in refusal(evidence, initiative, cast, "log_sample", file=ContentFile(short, "a.csv"))["file"]
    )


def test_a_test_report_is_added_by_its_form_and_shown_in_a_line(cast, as_, forms, initiative):
    client = as_(cast.owner)
    page = text_of(client.get(at("evidence-add", initiative.ref, kind="test_report")))
    assert "Threshold declared before" in page
    assert "Number of people" not in page, "that is asked of research alone"
    worse = sent("test_report", test_report_figure="0.80", note="Period: May", file=artefacts.pdf("May"))
    wrong = text_of(client.post(at("evidence-add", initiative.ref, kind="test_report"), worse))
    assert "0.8 misses the threshold of 0.85" in wrong
    assert 'value="Letters of May, version 2"' in wrong, "nothing typed is lost"
    assert "Period: May" in wrong
    answer = client.post(
        at("evidence-add", initiative.ref, kind="test_report"), sent("test_report", file=artefacts.pdf("May"))
    )
    item = added(initiative).get()
    said = "ata set Letters of May, version 2, n 240, accuracy 0.91 against 0.85 declared"
    assert said in text_of(client.get(answer.url))
    assert said in text_of(client.get(at("evidence", initiative.ref)))
    (key,) = item.coverage.values_list("requirement", flat=True)
    assert said in text_of(client.get(at("requirement", initiative.ref, key)))
    evidence_actions.cover(evidence=item, requirements=["prod.performance"], by=cast.owner)
    assert f"{said}; serves 2 requirements" in text_of(client.get(at("requirement", initiative.ref, key)))
    assert "This item serves 2 requirements." in text_of(client.get(answer.url))


def test_a_row_shows_the_forms_of_the_kinds_it_takes_and_keeps_their_drafts(cast, as_, forms, initiative):
    client, url = as_(cast.owner), at("requirement", initiative.ref, "prod.performance")
    page = text_of(client.get(url))
    assert 'data-of-kind="test_report"' in page
    assert "Telemetry consists of the initiative&#x27;s measurements." in page
    typed = {"kind": "answered", "text": "It reads letters.", "based_on": "0", "evidence-kind": "test_report"}
    typed |= {"evidence-test_report_data_set": "Letters of June", "evidence-observed_on": ""}
    client.post(at("requirement-draft", initiative.ref, "prod.performance"), typed)
    assert 'value="Letters of June"' in text_of(client.get(url))
    with acts() as kinds:
        answer = client.post(url, typed)
    assert (answer.status_code, kinds) == (422, [])
    assert "Enter the number of examples that were tried." in text_of(answer)
    assert 'value="Letters of June"' in text_of(answer)
    whole = {f"evidence-test_report_{name}": value for name, value in GIVEN["test_report"].items()}
    whole |= {
        "evidence-title": "Results of June",
        "evidence-result": "pass",
        "evidence-condition": "full_population",
    }
    whole |= {"evidence-observed_on": clock.today().isoformat(), "evidence-file": artefacts.pdf("June")}
    with acts() as kinds:
        client.post(url, typed | whole)
    assert kinds == ["answered", "evidence added", "evidence added"], "and that the owner says so"
    assert added(initiative).get().details["n"] == 240


# Registers


@pytest.mark.parametrize("kind", [kind for kind in REGISTERED if kind != EvidenceKind.CONTRACT_CLAUSE])
def test_what_a_register_writes_is_never_uploaded(cast, as_, forms, initiative, kind):
    client = as_(cast.owner)
    chosen = text_of(client.get(at("evidence-add", initiative.ref)))
    assert f"?kind={kind}" not in chosen
    page = text_of(client.get(at("evidence-add", initiative.ref, kind=kind)))
    assert "This kind of evidence cannot be uploaded." in page
    if kind in COVERS:
        said = refusal(evidence, initiative, cast, kind, details={"register": "drills"})
        assert said["kind"].startswith("This kind of evidence cannot be uploaded.")


def test_a_clause_is_cited_and_never_uploaded(cast, as_):
    initiative = factories.make_contract(
        cast, factories.make_prototype(cast), initiative_acts.CLAUSES, initiative_acts.VOCABULARY
    )
    clause = Clause.objects.get(version__contract__initiative=initiative, kind="autonomy")
    factories.make_rulebook(cast.admin, cast.chair, with_forms())
    assert "?kind=contract_clause" in text_of(as_(cast.owner).get(at("evidence-add", initiative.ref)))
    file = text_file("Whoever reads it agrees that the notes may be summarised.")
    said = refusal(evidence, initiative, cast, "contract_clause", covers=["gov.autonomy"], file=file)
    assert said["kind"].startswith("This kind of evidence cannot be uploaded.")
    evidence(initiative, cast, "contract_clause", covers=["gov.autonomy"], file=None, clause=clause)
    cited = added(initiative).filter(kind=EvidenceKind.CONTRACT_CLAUSE, clause=clause)
    assert cited.count() == 2  # beside that of the version when it came into force


def test_where_registers_are_is_said_with_a_way_there(cast, as_, forms, initiative):
    page = text_of(as_(cast.owner).get(at("evidence-add", initiative.ref)))
    for name in ("integration-drills", "integration", "adoption", "requirements"):
        assert f'href="{at(name, initiative.ref)}"' in page


def test_registers_write_their_own_under_their_name(cast):
    initiative = factories.make_mvp(cast)
    factories.make_rulebook(cast.admin, cast.chair, with_forms())
    drill = factories.make_drill(cast, initiative)
    assert drill.evidence.details == {"register": "drills", "tested": "fallback"}
    sample = factories.make_trace_sample(cast, initiative)
    assert sample.evidence.details == {"register": "traces"}
    factories.make_link(cast, initiative, agreed=True)
    text = register_actions.record_register(initiative=initiative, covers=["int.inventory"], by=cast.owner)
    assert text.details == {"register": "integration"}
    kinds = {EvidenceKind.DRILL_RECORD, EvidenceKind.LOG_SAMPLE, EvidenceKind.SYSTEM_RECORD}
    assert {drill.evidence.kind, sample.evidence.kind, text.kind} == kinds


def test_a_drill_that_is_about_no_link_in_use_says_so(cast, as_):
    initiative = factories.make_mvp(cast)
    link = factories.make_link(cast, initiative, agreed=True)
    drills = [factories.make_drill(cast, initiative), factories.make_drill(cast, initiative, link=link)]
    client = as_(cast.owner)
    pages = [text_of(client.get(at("evidence-item", initiative.ref, one.evidence.pk))) for one in drills]
    assert ["is about no link in use" in page for page in pages] == [True, False]


def test_what_was_uploaded_as_telemetry_before_is_shown_to_count_as_a_document(cast, as_):
    initiative = factories.make_mvp(cast)
    uploaded, drill = evidence(initiative, cast, "telemetry"), factories.make_drill(cast, initiative)
    client = as_(cast.owner)
    pages = [at("evidence-item", initiative.ref, item.pk) for item in (uploaded, drill.evidence)]
    assert [("counts as a document" in text_of(client.get(page))) for page in pages] == [False, False]
    factories.make_rulebook(cast.admin, cast.chair, with_forms())
    assert [("counts as a document" in text_of(client.get(page))) for page in pages] == [True, False]


def test_a_newer_one_of_what_is_never_uploaded_is_of_another_kind_and_takes_its_place(cast, as_, initiative):
    old = evidence(initiative, cast, "telemetry", covers=["prod.monitoring"])
    factories.make_rulebook(cast.admin, cast.chair, with_forms())
    client = as_(cast.owner)
    page = text_of(client.get(at("evidence-add", initiative.ref, supersedes=old.pk)))
    assert "This kind of evidence cannot be uploaded. Telemetry consists of" in page
    assert f'href="?kind=decision_record&amp;supersedes={old.pk}"' in page
    assert "kind=document" not in page, "a document answers that requirement no better"
    chosen = text_of(
        client.get(at("evidence-add", initiative.ref, kind="decision_record", supersedes=old.pk))
    )
    assert f'<option value="{old.pk}" selected>' in chosen


# What is stated beside what is counted


def four_calls() -> ContentFile:
    rows = "".join(f"\nask {one},say {one},2026-11-0{one} 10:00" for one in range(1, 5))
    return ContentFile(f"input,output,time{rows}".encode(), "calls.csv")


def add_log(initiative, cast, title, **fields):
    return evidence_actions.add_evidence(
        initiative=initiative,
        kind="log_sample",
        title=title,
        observed_on=clock.today(),
        covers=["mvp.observability"],
        file=four_calls(),
        result="pass",
        by=cast.owner,
        **fields,
    )


def test_a_title_that_states_other_rows_is_remarked_and_its_author_has_a_task(cast, as_, initiative, forms):
    item = add_log(initiative, cast, "Forty logged calls")
    client = as_(cast.owner)
    for page in (at("evidence-item", initiative.ref, item.pk), at("evidence", initiative.ref)):
        assert "stated 40, found 4" in text_of(client.get(page))
    (task,) = file_check_inbox.remarked(Look(cast.owner))
    assert task.text == "“Forty logged calls”: stated 40, found 4"
    assert client.get(task.link).status_code == 200
    assert file_check_inbox.remarked(Look(cast.chair)) == []
    add_log(initiative, cast, "Four logged calls", supersedes=item)
    assert file_check_inbox.remarked(Look(cast.owner)) == []


def test_a_data_set_that_is_not_recorded_is_remarked_and_its_author_has_a_task(cast, as_, initiative, forms):
    item = evidence(
        initiative, cast, "test_report", details=GIVEN["test_report"] | {"data_set": "Invoices of June"}
    )
    assert file_check_inbox.remarked(Look(cast.owner)) == [], "no data set is recorded yet"
    factories.make_use(cast, initiative, factories.make_model(cast), by=cast.owner)
    factories.make_evaluation(cast, initiative, by=cast.owner)
    said = f"names data set Invoices of June, which {initiative.ref} did not record"
    client = as_(cast.owner)
    for page in (at("evidence-item", initiative.ref, item.pk), at("evidence", initiative.ref)):
        assert said in text_of(client.get(page))
    (task,) = file_check_inbox.remarked(Look(cast.owner))
    assert task.text == f"“{item.title}”: {said}"
    (fact,) = [one for one in supported_stage.facts_of(initiative).items if one.id == item.pk]
    assert fact.remarks == said
    factories.make_evaluation(cast, initiative, data_set="Invoices of June, v1", by=cast.owner)
    assert file_check_inbox.remarked(Look(cast.owner)) == []


def test_a_file_with_hardly_anything_in_it_says_so_beside_it(cast, as_, initiative, forms):
    item = evidence_actions.add_evidence(
        initiative=initiative,
        kind="document",
        title="Plan",
        observed_on=clock.today(),
        covers=["proto.scope"],
        file=ContentFile(b"abcdefghij", "plan.txt"),
        by=cast.owner,
    )
    assert item.details == {"characters": 10}
    page = text_of(as_(cast.owner).get(at("evidence-item", initiative.ref, item.pk)))
    assert "10 characters, no table, no page" in page
