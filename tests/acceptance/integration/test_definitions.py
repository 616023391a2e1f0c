"""Terms, definitions and their conflicts: what is found, who resolves it, what a change voids and what it does not."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from governance import clock
from governance.models import Entry, Notification
from governance.permission_result import Conflict, Refused
from initiatives.integration.definitions import actions as definition_actions
from initiatives.integration.links import actions as link_actions
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.findings.sync import follow, lock_initiatives
from initiatives.lifecycle.initiative.act import act
from initiatives.models import (
    DefinitionConflict,
    Evidence,
    EvidenceNames,
    Gap,
    Hold,
    Profile,
    RequirementFinding,
    Term,
    TermDefinition,
)
from tests.support import factories
from tests.support.database import snapshots
from tests.support.initiatives.initiative_pages import at, text_of

pytestmark = pytest.mark.django_db

ACCOUNT = {
    "meaning": "whoever has an account",
    "counted_unit": "account",
    "identifier_mask": "X{18}",
    "valid_from": date(2019, 1, 1),
}
PAYER = {
    "meaning": "who pays",
    "counted_unit": "payer",
    "identifier_mask": "9{10}",
    "valid_from": date(2021, 1, 1),
}
CONTRACT = {"meaning": "a contract", "counted_unit": "contract", "valid_to": date(2020, 12, 31)}


@pytest.fixture
@snapshots.kept
def initiative(cast):
    """An MVP tied to CRM and billing that uses the term customer."""
    initiative = factories.make_mvp(cast)
    for name in ("CRM", "Billing"):
        factories.make_link(cast, initiative, factories.make_system(cast, name), agreed=True)
    factories.make_term(cast, "customer", "Who buys from us.")
    definition_actions.use_term(initiative=initiative, name="customer", by=cast.lead)
    return initiative


def system_of(initiative, name):
    return initiative.links.get(system__name=name).system


def define(cast, initiative, name, *, term="customer", field="customer_id", **said):
    return definition_actions.define(
        term=Term.objects.get(name=term),
        system=system_of(initiative, name),
        field=field,
        by=said.pop("by", cast.lead),
        **said,
    )


@pytest.fixture
@snapshots.kept
def three(cast, initiative):
    """The three definitions of the walk, and with them three conflicts."""
    define(cast, initiative, "CRM", **ACCOUNT)
    define(cast, initiative, "Billing", **PAYER)
    define(cast, initiative, "Billing", **CONTRACT)
    return {row.facet: row for row in DefinitionConflict.objects.open().filter(initiative=initiative)}


def resolve(cast, conflict, **fields):
    return definition_actions.reconcile(
        conflict=conflict,
        decision=fields.pop("decision", "The key of the CRM leads."),
        mapping=fields.pop("mapping", [{"one": "001A", "other": "4711"}]),
        by=fields.pop("by", cast.steward),
        **fields,
    )


def accept(cast, conflict, **fields):
    return definition_actions.accept_difference(
        conflict=conflict,
        decision=fields.pop("decision", "Rows from before 2021 stay as they are."),
        downstream=fields.pop("downstream", ["Churn report", "Dunning list"]),
        owner=fields.pop("owner", cast.lead),
        due=fields.pop("due", clock.today() + timedelta(days=60)),
        by=fields.pop("by", cast.steward),
    )


def open_facets(initiative):
    return sorted(
        DefinitionConflict.objects.open().filter(initiative=initiative).values_list("facet", flat=True)
    )


def undecided(initiative):
    return list(DefinitionConflict.objects.filter(initiative=initiative, status="undecided").order_by("pk"))


# What is found


def test_three_definitions_in_two_systems_make_one_conflict_a_facet(initiative, three):
    assert open_facets(initiative) == ["business_logic", "identifier_format", "validity"]
    assert {row.severity for row in three.values()} == {"blocking"}
    systems = {facet: {row.one.system.name, row.other.system.name} for facet, row in three.items()}
    assert systems["identifier_format"] == systems["business_logic"] == {"CRM", "Billing"}
    assert systems["validity"] == {"Billing"}
    assert "account" in three["business_logic"].words
    assert "payer" in three["business_logic"].words, "of two pairs, the one that holds now"
    short = RequirementFinding.objects.current().get(initiative=initiative, requirement="int.definitions")
    assert (short.words, short.hold) == ("3 open conflicts on customer.", "definition_conflict")
    assert short.who == "Vera Steward" or short.who
    assert Hold.objects.open().filter(initiative=initiative, kind="definition_conflict").exists()


def test_the_same_words_and_facets_are_the_same(cast, initiative):
    define(cast, initiative, "CRM", meaning="Account", counted_unit="one account", includes="tests, trials")
    define(
        cast, initiative, "Billing", meaning="account ", counted_unit="One  account", includes="Trials; tests"
    )
    assert not DefinitionConflict.objects.exists()


def test_other_words_are_undecided_which_holds_nothing_up_and_asks_nobody(cast, as_, initiative):
    define(cast, initiative, "CRM", meaning="account", identifier_format="10 digits")
    define(cast, initiative, "Billing", meaning="Konto", identifier_format="10-stellig")
    (row,) = undecided(initiative)
    assert (row.facet, row.severity) == ("wording", "note")
    assert row.words == (
        "No one has confirmed that CRM customer_id and Billing customer_id mean the same. Meaning: "
        "“account” and “Konto”; Identifier format: “10 digits” and “10-stellig”."
    )
    assert open_facets(initiative) == []
    assert not RequirementFinding.objects.current().filter(requirement="int.definitions").exists()
    assert not Hold.objects.open().filter(initiative=initiative, kind="definition_conflict").exists()
    assert not Notification.objects.filter(kind="definitions disagree").exists()
    page = text_of(as_(cast.owner).get(at("integration-definitions", initiative.ref)))
    assert "1 not compared" in page
    assert "Not compared yet" in page
    assert "none found" not in page
    term = text_of(as_(cast.owner).get(row.one.term.get_absolute_url()))
    assert (
        "Pairs of definitions not compared: 1. No one has confirmed that these definitions mean the same."
        in term
    )
    assert "No open conflicts" not in term


def test_a_facet_that_both_state_otherwise_is_a_conflict_that_names_both_values(cast, as_, initiative):
    define(cast, initiative, "CRM", meaning="account", counted_unit="account", time_window="12 months")
    define(cast, initiative, "Billing", meaning="account", counted_unit="payer", excludes="tests")
    assert open_facets(initiative) == ["business_logic"]
    assert DefinitionConflict.objects.get().words == (
        "CRM customer_id and Billing customer_id count customer in two ways. "
        "Counted unit: “account” and “payer”."
    )
    page = text_of(as_(cast.owner).get(at("integration-definitions", initiative.ref)))
    assert "Definitions side by side" in page
    assert page.count("not stated") == 6, "the time window of one, what the other leaves out"


def test_a_conflict_of_before_stays_open_until_it_is_decided_or_a_definition_changes(cast, initiative):
    """As databases hold them that were filled while prose was read (ADR 0031)."""
    define(cast, initiative, "CRM", meaning="account")
    billing = define(cast, initiative, "Billing", meaning="payer")
    (row,) = undecided(initiative)
    with act("test", system="test", register=True):
        old = DefinitionConflict(
            initiative=initiative,
            facet="same_name",
            one=row.one,
            other=row.other,
            severity="blocking",
            words="customer is not one thing.",
            found_at=clock.now(),
        )
        old.save()
        follow(lock_initiatives([initiative.pk]))
    assert open_facets(initiative) == ["same_name"]
    assert undecided(initiative) == [], "it is asked once"
    assert Hold.objects.open().filter(initiative=initiative, kind="definition_conflict").exists()
    resolve(cast, old)
    assert (open_facets(initiative), undecided(initiative)) == ([], []), "what was decided stands"
    definition_actions.define(
        term=billing.term,
        system=billing.system,
        field=billing.field,
        meaning="who pays",
        definition=billing,
        by=cast.lead,
    )
    old.refresh_from_db()
    assert old.status == "gone"
    assert len(undecided(initiative)) == 1


def test_only_terms_in_use_and_linked_systems_count(cast, initiative, three):
    other = factories.make_mvp(cast, title="Another assistant")
    assert not DefinitionConflict.objects.filter(initiative=other).exists()
    factories.make_link(cast, other, system_of(initiative, "CRM"))
    factories.make_link(cast, other, system_of(initiative, "Billing"))
    assert open_facets(other) == [], "it does not use the term"
    factories.make_term(cast, "Customer")
    use = definition_actions.use_term(initiative=other, name="Customer", by=cast.lead)
    assert use.term.name == "customer", "one term, however it is typed"
    assert len(open_facets(other)) == 3
    link = other.links.get(system__name="CRM", ended_at=None)
    link_actions.close_link(link=link, reason="No longer read.", by=cast.lead)
    assert open_facets(other) == ["validity"]
    assert len(open_facets(initiative)) == 3, "the other initiative is as it was"
    definition_actions.stop_using_term(use=use, reason="No longer in use", by=cast.lead)
    assert open_facets(other) == []


def test_members_of_a_linked_collection_count(cast, initiative):
    collection = factories.make_system(cast, "Handbooks", kind="knowledge_collection")
    member = factories.make_system(cast, "Wiki", kind="wiki", collection=collection)
    define(cast, initiative, "CRM", meaning="account", identifier_mask="X{18}")
    term = Term.objects.get()
    definition_actions.define(
        term=term, system=member, field="kdnr", meaning="account", identifier_mask="9{10}", by=cast.lead
    )
    assert open_facets(initiative) == []
    factories.make_link(cast, initiative, collection)
    assert open_facets(initiative) == ["identifier_format"]


def profile_of(cast, initiative, name, patterns, field="customer_id", **column):
    with act("test", by=cast.lead, initiative=initiative) as locked:
        Profile(
            initiative=initiative,
            system=system_of(initiative, name),
            data_set="customers",
            tool="count",
            file_name="sample.csv",
            sha256="0" * 64,
            taken_on=clock.today(),
            rows=1000,
            columns=[{"name": field, "type": "text", "patterns": patterns} | column],
            by=cast.lead,
            at=clock.now(),
        ).save()
        follow([locked])


def measured_otherwise(initiative) -> list[str]:
    rows = RequirementFinding.objects.current().filter(initiative=initiative, source__endswith=":measured")
    return [row.words for row in rows.order_by("pk")]


def test_a_field_that_was_measured_otherwise_than_declared_is_named(cast, initiative):
    row = define(cast, initiative, "CRM", meaning="account", identifier_mask="9{10}")
    profile_of(cast, initiative, "CRM", {"A{18}": 0.7, "9{10}": 0.3})
    (words,) = measured_otherwise(initiative)
    assert words == (
        "CRM customer_id is defined as “9{10}”, but most measured values are A{18} (30% of the values "
        "have this format)."
    )
    assert not Hold.objects.open().filter(initiative=initiative).exists(), (
        "nothing disagrees, but it is not proven"
    )
    define(
        cast,
        initiative,
        "CRM",
        meaning="account",
        identifier_mask="9{10}",
        definition=row,
        valid_from=date(2019, 7, 1),
    )
    assert measured_otherwise(initiative) == [], "a profile does not say of which years its rows are"


def test_a_few_dirty_rows_and_years_that_nobody_measured_say_nothing(cast, initiative):
    define(cast, initiative, "CRM", meaning="account", identifier_mask="9{10}", valid_to=date(2010, 12, 31))
    define(cast, initiative, "Billing", meaning="account", identifier_mask="9{10}")
    profile_of(cast, initiative, "CRM", {"A{18}": 1.0})
    profile_of(cast, initiative, "Billing", {"9{10}": 0.97, "A{2}": 0.03})
    assert measured_otherwise(initiative) == []


def test_what_was_measured_speaks_where_nobody_typed_a_format(cast, initiative):
    define(cast, initiative, "CRM", meaning="account", identifier_mask="X{18}")
    define(cast, initiative, "Billing", meaning="account")
    assert open_facets(initiative) == []
    assert len(undecided(initiative)) == 1
    profile_of(cast, initiative, "Billing", {"9{10}": 1.0}, field="CUSTOMER_ID")
    assert open_facets(initiative) == ["identifier_format"]
    assert "measured mostly 9{10}" in DefinitionConflict.objects.open().get().words
    assert undecided(initiative) == [], "a conflict is no longer undecided"


# The steward's word


def test_the_steward_resolves_all_three_and_the_register_is_silent(cast, initiative, three):
    resolve(cast, three["identifier_format"])
    resolve(cast, three["business_logic"])
    short = RequirementFinding.objects.current().get(initiative=initiative, requirement="int.definitions")
    assert short.words == "1 open conflict on customer."
    gap = accept(cast, three["validity"])
    assert (
        not RequirementFinding.objects.current()
        .filter(initiative=initiative, requirement="int.definitions")
        .exists()
    )
    assert not Hold.objects.open().filter(initiative=initiative, kind="definition_conflict").exists()
    row = DefinitionConflict.objects.get(pk=three["validity"].pk)
    assert (row.status, row.decided_by, row.gap, row.downstream) == (
        "accepted",
        cast.steward,
        gap,
        ["Churn report", "Dunning list"],
    )
    assert (gap.owner, gap.downstream, gap.closed_at) == (cast.lead, ["Churn report", "Dunning list"], None)
    assert Gap.objects.get(pk=gap.pk).text.endswith("Accepted: Rows from before 2021 stay as they are.")
    kinds = Entry.objects.acts().of_initiative(initiative.ref).values_list("kind", flat=True)
    assert list(kinds).count("conflict reconciled") == 2
    assert list(kinds).count("difference accepted") == 1


def test_nobody_but_the_steward_decides(cast, three):
    for person in (cast.owner, cast.lead, cast.chair, cast.admin, cast.outsider):
        for decide in (resolve, accept):
            with pytest.raises(Refused, match="Only the data steward"):
                decide(cast, three["validity"], by=person)


def test_what_a_decision_lacks_is_said_at_its_field(cast, initiative, three):
    with pytest.raises(ValidationError) as lacking:
        resolve(cast, three["validity"], decision=" ", mapping=[{"one": "A", "other": ""}])
    assert set(lacking.value.message_dict) == {"decision", "mapping"}
    with pytest.raises(ValidationError) as lacking:
        accept(
            cast,
            three["validity"],
            decision="",
            downstream=[" "],
            owner=None,
            due=clock.today() - timedelta(days=1),
        )
    assert set(lacking.value.message_dict) == {"decision", "downstream", "owner", "due"}
    other = factories.make_mvp(cast, title="Another assistant")
    with pytest.raises(ValidationError, match="evidence of this initiative"):
        resolve(cast, three["validity"], mapping=[], evidence=other.evidence.first())
    item = initiative.evidence.filter(withdrawn_at=None).first()
    assert resolve(cast, three["validity"], mapping=[], evidence=item).mapping_evidence == item


@pytest.mark.parametrize(
    ("verdict", "status", "kind"),
    [
        ("same", "reconciled", "conflict reconciled"),
        ("different", "accepted", "difference accepted"),
        ("conflict", "open", "conflict found"),
    ],
)
def test_the_steward_says_what_a_pair_is_in_one_press_with_a_reason(
    cast, as_, initiative, verdict, status, kind
):
    define(cast, initiative, "CRM", meaning="account")
    define(cast, initiative, "Billing", meaning="Konto")
    (row,) = undecided(initiative)
    page = at("conflicts/compare", row.pk)
    assert as_(cast.owner).post(page, {"verdict": verdict, "decision": "So it is."}).status_code == 403
    wrong = as_(cast.steward).post(page, {"verdict": verdict, "decision": " "})
    assert wrong.status_code == 200
    assert as_(cast.steward).post(page, {"verdict": verdict, "decision": "So it is."}).status_code == 302
    row.refresh_from_db()
    assert row.status == status
    assert Entry.objects.acts().of_initiative(initiative.ref).filter(kind=kind).count() == 1
    with act("test", system="test", register=True):
        follow(lock_initiatives([initiative.pk]))
    row.refresh_from_db()
    assert (row.status, undecided(initiative)) == (status, []), "looked at again, it stands"
    held = Hold.objects.open().filter(initiative=initiative, kind="definition_conflict").exists()
    assert held == (verdict == "conflict")
    if verdict == "conflict":
        assert row.words == (
            "customer in CRM, customer_id and customer in Billing, customer_id do not mean the same: So it is."
        )
        accept(cast, row)
        row.refresh_from_db()
        assert row.gap is not None
    with pytest.raises(Conflict, match="already"):
        definition_actions.decide_pair(conflict=row, verdict="same", decision="No.", by=cast.steward)


def test_what_is_undecided_is_neither_reconciled_nor_accepted_as_a_conflict(cast, initiative):
    define(cast, initiative, "CRM", meaning="account")
    define(cast, initiative, "Billing", meaning="Konto")
    (row,) = undecided(initiative)
    for decide in (resolve, accept):
        with pytest.raises(Conflict, match="The status of this conflict changed"):
            decide(cast, row)
    with pytest.raises(ValidationError) as lacking:
        definition_actions.decide_pair(conflict=row, verdict="perhaps", decision=" ", by=cast.steward)
    assert set(lacking.value.message_dict) == {"verdict", "decision"}


def test_a_slip_in_an_identifier_of_a_standard_is_found_in_the_table(cast, initiative):
    define(cast, initiative, "CRM", meaning="account", identifier_standard="iban")
    define(cast, initiative, "Billing", meaning="account", identifier_mask="9{10}")
    (row,) = DefinitionConflict.objects.open()
    rows = [
        {"one": "CH9300762011623852957", "other": "4711"},
        {"one": "CH9300762011623852975", "other": "4712"},
    ]
    with pytest.raises(ValidationError, match="Row 2: “CH9300762011623852975” is not a valid IBAN"):
        resolve(cast, row, mapping=rows)
    assert resolve(cast, row, mapping=rows[:1]).status == "reconciled"


def test_what_was_decided_stands_until_a_definition_changes(cast, initiative, three):
    for row in three.values():
        resolve(cast, row)
    with act("test", system="test", register=True):
        follow(lock_initiatives([initiative.pk]))
    assert open_facets(initiative) == [], "looked at again, nothing comes back"
    crm = TermDefinition.objects.get(system__name="CRM")
    changed = ACCOUNT | {"identifier_mask": "X{15}"}
    definition_actions.define(
        term=crm.term, system=crm.system, field="customer_id", definition=crm, by=cast.lead, **changed
    )
    assert open_facets(initiative) == ["business_logic", "identifier_format"]
    statuses = dict(DefinitionConflict.objects.exclude(status="open").values_list("facet", "status"))
    assert statuses == {"identifier_format": "gone", "business_logic": "gone", "validity": "reconciled"}
    gone = DefinitionConflict.objects.filter(status="gone").first()
    assert gone.decided_by == cast.steward, "what was decided stays readable"


def test_one_more_definition_opens_what_was_decided_for_the_others(cast, initiative, three):
    for row in three.values():
        resolve(cast, row)
    said = {"counted_unit": "household", "identifier_mask": "9{12}"}
    define(cast, initiative, "Billing", field="payer_no", meaning="household", **said)
    # One for each pair of systems and facet: CRM against billing, and billing's two fields against each other.
    assert open_facets(initiative) == [
        "business_logic",
        "business_logic",
        "identifier_format",
        "identifier_format",
    ]
    assert DefinitionConflict.objects.filter(initiative=initiative, status="reconciled").count() == 3


def test_a_conflict_is_gone_when_the_definitions_agree(cast, initiative, three):
    for row in TermDefinition.objects.filter(system__name="Billing"):
        definition_actions.withdraw_definition(definition=row, reason="Read wrongly.", by=cast.lead)
    assert open_facets(initiative) == []
    assert set(DefinitionConflict.objects.values_list("status", flat=True)) == {"gone"}
    with pytest.raises(Conflict, match="A definition changed"):
        resolve(cast, three["validity"])


def test_of_two_ways_to_give_the_table_one_is_needed_and_both_say_so(cast, as_, initiative, three):
    page = as_(cast.steward).get(at("conflicts/reconcile", three["validity"].pk))
    text = text_of(page)
    assert "(optional)" not in text
    assert "Write the table here, or choose evidence that contains it." in text
    assert "Choose evidence if you write no table above." in text


def test_a_decision_without_a_full_stop_is_a_sentence_of_its_own(cast, as_, initiative, three):
    accept(cast, three["validity"], decision="Legal entity for now")
    text = text_of(as_(cast.owner).get(at("integration-definitions", initiative.ref)))
    assert "Legal entity for now. Shown with the difference: Churn report, Dunning list." in text


# What is void, and what is not


def evidence_on(cast, initiative, title, system=None):
    item = evidence_actions.add_evidence(
        initiative=initiative,
        kind="decision_record",
        title=title,
        covers=["int.definitions"],
        observed_on=clock.today() - timedelta(days=1),
        link="https://wiki.example/terms",
        by=cast.steward,
    )
    if system is not None:
        with act("test", by=cast.steward, initiative=initiative):
            EvidenceNames(evidence=item, system=system).save()
    return item


def voided(initiative):
    return sorted(
        Evidence.objects.filter(
            initiative=initiative, voidings__requirement="int.definitions", title__startswith="of "
        )
        .distinct()
        .values_list("title", flat=True)
    )


def test_a_change_voids_what_speaks_of_that_system_or_of_none(cast, initiative):
    crm = define(cast, initiative, "CRM", meaning="account", identifier_format="10 digits")
    evidence_on(cast, initiative, "of the CRM", crm.system)
    evidence_on(cast, initiative, "of billing", system_of(initiative, "Billing"))
    evidence_on(cast, initiative, "of no system")
    define(cast, initiative, "Billing", meaning="account", identifier_format="10 digits")
    assert voided(initiative) == [], "a first description voids nothing"
    define(cast, initiative, "Billing", meaning="Konto", identifier_format="ten digits", field="kdnr")
    assert voided(initiative) == [], "nor does one more that agrees"
    definition_actions.define(
        term=crm.term, system=crm.system, field=crm.field, meaning="account", definition=crm, by=cast.lead
    )
    assert voided(initiative) == ["of no system", "of the CRM"]
    change = initiative.changes.latest("pk")
    assert (change.triggers, change.system) == (["integration_schema"], crm.system)
    assert "identifier format changed" in change.what


def test_one_more_that_contradicts_is_a_conflict_and_voids_nothing(cast, initiative):
    define(cast, initiative, "CRM", **ACCOUNT)
    define(cast, initiative, "Billing", **PAYER)
    evidence_on(cast, initiative, "of billing", system_of(initiative, "Billing"))
    define(cast, initiative, "Billing", **CONTRACT)
    assert voided(initiative) == []
    assert "validity" in open_facets(initiative)


def test_a_change_reaches_no_initiative_that_does_not_rest_on_it(cast, initiative):
    crm = define(cast, initiative, "CRM", **ACCOUNT)
    other = factories.make_mvp(cast, title="Another assistant")
    factories.make_link(cast, other, crm.system)
    changes = other.changes.count()
    definition_actions.withdraw_definition(definition=crm, reason="Read wrongly.", by=cast.lead)
    assert initiative.changes.latest("pk").what == "customer in CRM, customer_id: withdrawn"
    assert other.changes.count() == changes, "it is tied to the system, and does not use the term"


def test_the_same_words_again_leave_no_trace(cast, initiative):
    crm = define(cast, initiative, "CRM", **ACCOUNT)
    before = Entry.objects.count()
    definition_actions.define(
        term=crm.term, system=crm.system, field=crm.field, definition=crm, by=cast.lead, **ACCOUNT
    )
    assert Entry.objects.count() == before
    with pytest.raises(ValidationError, match="already has the same definition"):
        define(cast, initiative, "CRM", **ACCOUNT)


# Who may, and what is asked


def test_who_may_define_is_who_may_change_the_system(cast, initiative):
    assert define(cast, initiative, "CRM", by=cast.outsider, **ACCOUNT), "the system's owner"
    assert define(cast, initiative, "Billing", by=cast.steward, **PAYER), (
        "who works on an initiative whose link was agreed to"
    )
    with pytest.raises(Refused):
        define(cast, initiative, "Billing", by=cast.auditor, **CONTRACT)
    assert define(cast, initiative, "Billing", by=cast.seat_architecture, **CONTRACT)
    factories.make_term(cast, "order")
    with pytest.raises(Refused):
        definition_actions.use_term(initiative=initiative, name="order", by=cast.outsider)
    with pytest.raises(Refused, match="architecture seat"):
        definition_actions.name_term(name="responsible", by=cast.lead)
    with pytest.raises(ValidationError, match=cast.seat_architecture.email):
        definition_actions.use_term(initiative=initiative, name="responsible", by=cast.lead)


def test_what_a_definition_lacks_is_said_at_its_field(cast, initiative):
    with pytest.raises(ValidationError) as lacking:
        define(
            cast,
            initiative,
            "CRM",
            field=" ",
            meaning="",
            identifier_format="x" * 201,
            identifier_standard="gold",
            counted_unit="x" * 121,
            valid_from=date(2021, 1, 1),
            valid_to=date(2020, 1, 1),
        )
    assert set(lacking.value.message_dict) == {
        "field",
        "meaning",
        "identifier_format",
        "identifier_standard",
        "counted_unit",
        "valid_to",
    }
    with pytest.raises(ValidationError, match="The mask has an unknown sign"):
        define(cast, initiative, "CRM", meaning="account", identifier_mask="C-9{6}")
    with pytest.raises(ValidationError, match="not both"):
        define(cast, initiative, "CRM", meaning="account", identifier_mask="9", identifier_standard="iban")
    with pytest.raises(TypeError, match="granularity"):
        define(cast, initiative, "CRM", meaning="account", granularity="one")
    with pytest.raises(ValidationError, match="The initiative already uses customer"):
        definition_actions.use_term(initiative=initiative, name=" Customer ", by=cast.lead)


@pytest.mark.django_db(transaction=True)
def test_two_tabs_of_the_steward_decide_once(cast, initiative, three):
    def decide(how):
        try:
            return how(cast, three["validity"])
        except Conflict as refused:
            return refused
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(decide, [resolve, accept])
    refused = [one for one in (first, second) if isinstance(one, Conflict)]
    assert len(refused) == 1
    assert "already decided this conflict at" in str(refused[0])
    assert DefinitionConflict.objects.get(pk=three["validity"].pk).status in ("reconciled", "accepted")
