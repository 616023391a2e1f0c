"""Where data may be: the rule, what a term touches, the hold, and what it voids."""

from datetime import date, timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from adoption.demo import artefacts
from governance import clock
from governance.database.row_history import acting
from governance.models import Entry, Notification
from governance.permission_result import Conflict, Refused
from initiatives.integration.components import actions as components_actions
from initiatives.integration.residency import actions as residency_actions
from initiatives.integration.residency import findings as residency_findings
from initiatives.integration.residency import regions
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.findings import sync
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.requirements.waivers import WAIVERS
from initiatives.models import EvidenceNames, Hold, RequirementFinding, Voiding
from initiatives.portfolio.units import actions as unit_actions
from tests.support import factories
from tests.support.initiatives import tied_initiatives

pytestmark = pytest.mark.django_db


@pytest.fixture
def initiative(cast):
    return factories.make_prototype(cast)


def held(initiative) -> list[Hold]:
    return list(Hold.objects.open().filter(initiative=initiative, kind="residency"))


def answers(initiative, **what_if) -> list[tuple[str, str]]:
    found = residency_findings.judge([initiative.pk], residency_findings.WhatIf(**what_if))
    return [(f"{one.name}, {one.region}", one.answer) for one in found]


# --- Regions ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("region", "lies_in", "not_in"),
    [
        ("eu-west-1", "IE EU EEA EUROPE", "GB UK US"),
        ("eu-west-2", "GB UK EUROPE", "EU EEA IE"),
        ("europe-west2", "GB", "EU"),
        ("eu-central-2", "CH EUROPE", "EU EEA"),
        ("europe-west6", "CH", "EU"),
        ("EU-West", "EU", "IE US"),
        ("us-east", "US NORTH-AMERICA", "EU"),
        ("westeurope", "NL EU", "GB"),
        ("NO", "EEA", "EU"),
        ("ap-southeast-1", "SG ASIA APAC", "AU"),
    ],
)
def test_a_region_lies_in_itself_and_in_all_above_it(region, lies_in, not_in):
    found = regions.above(region)
    assert set(map(str.lower, lies_in.split())) <= set(found)
    assert not set(map(str.lower, not_in.split())) & set(found)
    assert found[0] == region.lower()


def test_what_nobody_knows_lies_in_itself_alone():
    assert regions.above("mars-1") == ["mars-1"]
    assert regions.above("mars-1", [("Mars-1", "IE")]) == ["mars-1", "ie", "eu", "eea", "europe", "emea"]


def test_every_region_that_is_known_ends_at_the_top_of_a_group():
    for name, _, _ in regions.known().values():
        assert regions.above(name)[-1] in ("emea", "americas", "apac"), name


# --- The rule --------------------------------------------------------------------------------------------------------


def test_the_path_is_read_place_by_place(cast, initiative):
    acme = tied_initiatives.vendor(cast)
    link = tied_initiatives.link(
        cast, initiative, tied_initiatives.system(cast, vendor=acme, regions=["CH", "eu-west-1"])
    )
    tied_initiatives.transfer(cast, link, "gateway", "eu-west-2", vendor=acme)
    tied_initiatives.transfer(cast, link, "vendor model", "us-east", vendor=acme)
    tied_initiatives.transfer(cast, link, "cache", "", vendor=acme)
    tied_initiatives.transfer(cast, link, "archive", "mars-1", vendor=acme)
    tied_initiatives.transfer(
        cast, link, "of another", "us-east", vendor=tied_initiatives.vendor(cast, "Other")
    )
    tied_initiatives.transfer(cast, link, "our own", "us-east")
    tied_initiatives.term(cast, acme, allowed=["EU", "CH"])
    assert answers(initiative) == [
        ("CRM, CH", "allowed"),
        ("CRM, eu-west-1", "allowed"),
        ("gateway, eu-west-2", "outside"),
        ("vendor model, us-east", "outside"),
        ("cache, ", "unknown"),
        ("archive, mars-1", "unknown"),
    ]
    (hold,) = held(initiative)
    assert "vendor model, us-east: forbidden by Acme Cloud MSA 4.2 (no processing outside EU)." in hold.reason
    assert "cache, region not known: forbidden by Acme Cloud MSA 4.2" in hold.reason
    assert "archive, mars-1 (region not known): forbidden" in hold.reason


def test_what_is_forbidden_is_forbidden_though_the_larger_region_is_allowed(cast, initiative):
    acme = tied_initiatives.vendor(cast)
    link = tied_initiatives.link(cast, initiative, tied_initiatives.system(cast))
    for region in ("FR", "DE", "mars-1", ""):
        tied_initiatives.transfer(cast, link, region or "nowhere", region, vendor=acme)
    tied_initiatives.term(cast, acme, allowed=["EU"], forbidden=["FR"])
    assert dict(answers(initiative)) == {
        "FR, FR": "forbidden",
        "DE, DE": "allowed",
        "mars-1, mars-1": "unknown",
        "nowhere, ": "unknown",
    }
    tied_initiatives.term(cast, acme, allowed=[], forbidden=["FR"], reference="Annex 2")
    assert [answer for _, answer in answers(initiative)].count("untold") == 2


def test_a_term_binds_the_classes_that_it_names(cast, initiative):
    acme = tied_initiatives.vendor(cast)
    notes = tied_initiatives.link(
        cast, initiative, tied_initiatives.system(cast), classes=["Customer notes", "prices"]
    )
    every = tied_initiatives.link(cast, initiative, tied_initiatives.system(cast, "Wiki"), classes=[])
    prices = tied_initiatives.link(cast, initiative, tied_initiatives.system(cast, "ERP"), classes=["prices"])
    for link in (notes, every, prices):
        tied_initiatives.transfer(cast, link, str(link.system), vendor=acme)
    tied_initiatives.term(cast, acme, data_classes=["customer notes "])
    found = {one.name: one for one in residency_findings.judge([initiative.pk])}
    assert set(found) == {"CRM", "Wiki"}
    assert found["CRM"].classes == ["Customer notes"]
    assert found["CRM"].words.endswith("(no processing outside EU), for Customer notes.")
    assert found["Wiki"].classes == []


def test_policies_of_all_units_above_bind_whoever_runs_the_place(cast, initiative):
    link = tied_initiatives.link(cast, initiative, tied_initiatives.system(cast, regions=["DE"]))
    tied_initiatives.transfer(cast, link)
    retail = cast.unit.parent
    tied_initiatives.policy(cast, retail)
    tied_initiatives.policy(cast, cast.elsewhere, forbidden=["DE"])
    assert answers(initiative) == [("CRM, DE", "allowed"), ("vendor model, us-east", "forbidden")]
    (hold,) = held(initiative)
    assert hold.reason == "vendor model, us-east: forbidden by Retail Data policy 3 (forbidden: US)."


def test_a_transfer_is_where_its_version_runs_and_each_answer_has_its_time(cast, initiative):
    acme, today, now = tied_initiatives.vendor(cast), clock.today(), clock.now()
    moves, back = now + timedelta(days=10), now + timedelta(days=20)
    versions = [
        ("us-east", now - timedelta(days=5), moves),
        ("eu-west", moves, back),
        ("us-east", back, None),
    ]
    model = tied_initiatives.part(cast, initiative, versions=versions)
    tied_initiatives.transfer(
        cast,
        tied_initiatives.link(cast, initiative, tied_initiatives.system(cast)),
        region="CN",
        vendor=acme,
        deployment=model,
    )
    tied_initiatives.term(cast, acme, starts_on=today, ends_on=today + timedelta(days=30))
    start, end = clock.midnight_before(today), clock.midnight_after(today + timedelta(days=30))
    assert [
        (one.region, one.since, one.until, one.broken) for one in residency_findings.judge([initiative.pk])
    ] == [
        ("us-east", start, moves, True),
        ("eu-west", moves, back, False),
        ("us-east", back, end, True),
    ]
    (hold,) = held(initiative)
    assert hold.liftable_since is None
    assert [
        (row.since, row.until) for row in RequirementFinding.objects.current().filter(hold="residency")
    ] == [
        (start, moves),
        (back, end),
    ]
    with time_machine.travel(moves, tick=False):
        sync.follow_register()
        assert held(initiative)[0].liftable_since, (
            "the periodic job finds that the new version runs elsewhere"
        )
    with time_machine.travel(back, tick=False):
        sync.follow_register()
        assert held(initiative)[0].liftable_since is None


def test_before_the_first_version_a_transfer_is_where_its_link_says(cast, initiative):
    acme, now = tied_initiatives.vendor(cast), clock.now()
    model = tied_initiatives.part(cast, initiative, versions=[("eu-west", now + timedelta(days=3), None)])
    tied_initiatives.transfer(
        cast,
        tied_initiatives.link(cast, initiative, tied_initiatives.system(cast)),
        vendor=acme,
        deployment=model,
    )
    tied_initiatives.term(cast, acme)
    assert answers(initiative) == [("vendor model, us-east", "outside"), ("vendor model, eu-west", "allowed")]


# --- What a term does to the initiatives that it touches
# -------------------------------------------------------------------


def test_a_term_holds_drafts_and_live_initiatives_alike_and_tells_chair_and_owner_once(cast):
    live = factories.make_mvp(cast)
    draft = factories.make_initiative(cast, title="A draft")
    spared = factories.make_initiative(cast, title="Nothing of that vendor")
    acme, crm = tied_initiatives.vendor(cast), tied_initiatives.system(cast)
    for one in (live, draft):
        tied_initiatives.transfer(cast, tied_initiatives.link(cast, one, crm), vendor=acme)
    tied_initiatives.transfer(
        cast, tied_initiatives.link(cast, spared, crm), vendor=tied_initiatives.vendor(cast, "Other")
    )
    Notification.objects.all().delete()
    tied_initiatives.term(cast, acme)
    assert len(held(live)) == len(held(draft)) == 1
    assert held(spared) == []
    for person in (cast.chair, cast.owner):
        (told,) = Notification.objects.filter(kind="held", person=person)
        assert told.subject.endswith(", and 1 more initiatives"), "one message"
        assert {live.ref, draft.ref} <= set(told.text.replace(";", "").split())
        assert spared.ref not in told.text
    assert live.spans.covering(clock.now()).get().supported == "prototype"


def test_the_hold_waits_for_the_chair_once_the_path_is_fixed(cast):
    initiative, acme = factories.make_mvp(cast), tied_initiatives.vendor(cast)
    link = tied_initiatives.link(cast, initiative, tied_initiatives.system(cast))
    version = {
        "initiative": initiative,
        "layer": "model",
        "name": "Endpoint",
        "vendor": "Acme Cloud",
        "by": cast.lead,
    }
    first = components_actions.record_component(version="1", region="us-east", **version)
    tied_initiatives.transfer(cast, link, vendor=acme, region="", deployment=first)
    tied_initiatives.term(cast, acme)
    (hold,) = held(initiative)
    with pytest.raises(Refused):
        hold_deeds.lift_hold(hold=hold, reason="It is fine", by=cast.chair)
    with pytest.raises((Refused, ValidationError)):
        WAIVERS.ask(
            initiative,
            key="production.test_integration",
            reason="It is only a region.",
            until=clock.today() + timedelta(days=20),
            by=cast.owner,
        )
    components_actions.record_component(version="2", region="eu-west", **version)
    (hold,) = held(initiative)
    assert hold.liftable_since
    hold_deeds.lift_hold(hold=hold, reason="It runs in eu-west", by=cast.chair)
    assert held(initiative) == []
    components_actions.record_component(version="3", region="us-east", **version)
    assert len(held(initiative)) == 1, "and comes back with its cause"


def test_what_is_withdrawn_or_replaced_binds_nobody(cast, initiative):
    acme = tied_initiatives.vendor(cast)
    tied_initiatives.transfer(
        cast, tied_initiatives.link(cast, initiative, tied_initiatives.system(cast)), vendor=acme
    )
    old = tied_initiatives.term(cast, acme)
    new = tied_initiatives.term(cast, acme, allowed=["EU", "US"], reference="MSA 5", words="", replaces=old)
    assert answers(initiative) == [("vendor model, us-east", "allowed")]
    assert held(initiative)[0].liftable_since
    with pytest.raises(Conflict):
        residency_actions.withdraw_vendor_term(term=old, reason="Again", by=cast.seat_security)
    residency_actions.withdraw_vendor_term(term=new, reason="Never signed", by=cast.seat_security)
    assert answers(initiative) == []
    assert not RequirementFinding.objects.current().filter(initiative=initiative, hold="residency").exists()


def test_terms_void_exactly_what_rests_on_the_paths_that_they_bind(cast):
    initiative, other = (
        factories.make_production(cast),
        factories.make_initiative(cast, title="Another vendor's"),
    )
    acme, crm, wiki = (
        tied_initiatives.vendor(cast),
        tied_initiatives.system(cast),
        tied_initiatives.system(cast, "Wiki"),
    )
    tied_initiatives.transfer(cast, tied_initiatives.link(cast, initiative, crm), vendor=acme)
    tied_initiatives.transfer(
        cast, tied_initiatives.link(cast, initiative, wiki), vendor=tied_initiatives.vendor(cast, "Other")
    )
    tied_initiatives.transfer(
        cast, tied_initiatives.link(cast, other, wiki), vendor=tied_initiatives.vendor(cast, "Other")
    )
    on_residency = list(initiative.evidence.filter(coverage__requirement="int.residency", withdrawn_at=None))
    assert on_residency
    of_wiki = life_evidence(cast, initiative)
    with acting(by=cast.owner, reason="It speaks of the wiki"):
        EvidenceNames(evidence=of_wiki, system=wiki).save()
    before = set(Voiding.objects.values_list("pk", flat=True))
    tied_initiatives.term(cast, acme)
    new = Voiding.objects.exclude(pk__in=before).select_related("evidence")
    assert {row.requirement for row in new} == {"int.residency", "prod.maintenance"}
    assert {row.trigger for row in new} == {"vendor_terms"}
    assert {row.evidence.initiative_id for row in new} == {initiative.pk}
    assert of_wiki.pk not in {row.evidence_id for row in new}, "what speaks of another system stands"
    assert {row.pk for row in on_residency} <= {row.evidence_id for row in new}
    change = initiative.changes.get(triggers=["vendor_terms"])
    assert (change.system, change.what) == (crm, "Terms of Acme Cloud: MSA 4.2")
    assert not other.changes.exists()


def life_evidence(cast, initiative):
    return evidence_actions.add_evidence(
        initiative=initiative,
        kind="contract_clause",
        title="What the wiki's contract says",
        observed_on=clock.today(),
        covers=["int.residency"],
        file=artefacts.pdf("What the wiki's contract says"),
        by=cast.owner,
    )


def test_a_term_of_classes_that_no_link_carries_touches_nothing(cast, initiative):
    acme = tied_initiatives.vendor(cast)
    tied_initiatives.transfer(
        cast, tied_initiatives.link(cast, initiative, tied_initiatives.system(cast)), vendor=acme
    )
    tied_initiatives.term(cast, acme, data_classes=["salaries"])
    tied_initiatives.term(
        cast, acme, ends_on=tied_initiatives.FROM + timedelta(days=1), reference="Over long ago"
    )
    assert held(initiative) == []
    assert not initiative.changes.filter(triggers=["vendor_terms"]).exists()


def test_a_term_to_come_holds_and_voids_from_its_day(cast, initiative):
    acme, start = tied_initiatives.vendor(cast), clock.today() + timedelta(days=9)
    tied_initiatives.transfer(
        cast, tied_initiatives.link(cast, initiative, tied_initiatives.system(cast)), vendor=acme
    )
    tied_initiatives.term(cast, acme, starts_on=start)
    assert held(initiative) == []
    change = initiative.changes.get(triggers=["vendor_terms"])
    assert change.effective_at == clock.midnight_before(start)
    assert initiative.spans.covering(change.effective_at).get().held
    assert not initiative.spans.covering(change.effective_at - timedelta(seconds=1)).get().held


def test_a_unit_that_moves_comes_under_other_policies(cast, initiative):
    tied_initiatives.transfer(cast, tied_initiatives.link(cast, initiative, tied_initiatives.system(cast)))
    tied_initiatives.policy(cast, cast.elsewhere)
    assert held(initiative) == []
    admin = cast.people["admin"]
    retail = cast.unit.parent
    unit_actions.move_unit(unit=cast.unit, into=cast.elsewhere, reason="Reorganised", by=admin)
    assert len(held(initiative)) == 1
    change = initiative.changes.get(triggers=["vendor_terms"])
    assert change.what == "Account management moved below Logistics"
    cast.unit.refresh_from_db()
    unit_actions.move_unit(unit=cast.unit, into=retail, reason="Back", by=admin)
    assert held(initiative)[0].liftable_since


def test_a_region_that_is_added_is_known_from_then_on(cast, initiative):
    acme = tied_initiatives.vendor(cast)
    tied_initiatives.transfer(
        cast,
        tied_initiatives.link(cast, initiative, tied_initiatives.system(cast)),
        region="Fra-Nine",
        vendor=acme,
    )
    tied_initiatives.term(cast, acme)
    assert answers(initiative) == [("vendor model, Fra-Nine", "unknown")]
    row = residency_actions.add_region(
        key="fra-nine", words="Our room in Frankfurt", within="DE", by=cast.seat_risk
    )
    assert [str(row.within), str(row.within.within)] == ["DE", "EU"]
    assert answers(initiative) == [("vendor model, Fra-Nine", "allowed")]
    assert held(initiative)[0].liftable_since
    for wrong in ({"key": "FRA-nine", "within": "DE"}, {"key": "eu-west-1", "within": "US"}):
        with pytest.raises(ValidationError, match="already contains this region"):
            residency_actions.add_region(by=cast.seat_risk, **wrong)
    with pytest.raises(ValidationError, match="Name a known region"):
        residency_actions.add_region(key="luna", within="moon", by=cast.seat_risk)


# --- Who may, and what is refused ------------------------------------------------------------------------------------


def test_who_files_terms_and_who_takes_them_back(cast):
    initiative, acme = factories.make_mvp(cast), tied_initiatives.vendor(cast)
    link = tied_initiatives.link(cast, initiative, tied_initiatives.system(cast, owner=cast.outsider))
    tied_initiatives.transfer(cast, link, vendor=acme)
    for person in (cast.owner, cast.lead, cast.seat_value, cast.outsider):
        with pytest.raises(Refused):
            tied_initiatives.term(cast, acme, by=person)
    factories.agree(link)
    theirs = tied_initiatives.term(cast, acme, by=cast.lead)
    with pytest.raises(Refused):
        tied_initiatives.term(cast, acme, by=cast.steward)
    with pytest.raises(Refused, match="withdraw a confirmed term"):
        residency_actions.withdraw_vendor_term(term=theirs, reason="It holds us", by=cast.owner)
    with pytest.raises(Refused):
        tied_initiatives.term(cast, acme, replaces=theirs, allowed=["US"], by=cast.owner)
    residency_actions.withdraw_vendor_term(term=theirs, reason="Misread", by=cast.seat_risk)
    with pytest.raises(Refused):
        tied_initiatives.policy(cast, cast.unit, by=cast.owner)
    tied_initiatives.policy(cast, cast.unit, by=cast.admin)
    with pytest.raises(Refused):
        residency_actions.add_region(key="fra-nine", within="DE", by=cast.lead)
    with pytest.raises(Refused):
        residency_actions.add_vendor(name="New", by=cast.outsider)
    assert residency_actions.add_vendor(name="New", by=cast.lead).name == "New"


@pytest.mark.parametrize("confirmer", ["seat_risk", "seat_security", "admin"])
def test_a_term_of_a_initiative_binds_once_a_seat_or_an_admin_confirms_it(cast, confirmer):
    initiative, acme = factories.make_mvp(cast), tied_initiatives.vendor(cast)
    link = tied_initiatives.link(cast, initiative, tied_initiatives.system(cast, owner=cast.outsider))
    tied_initiatives.transfer(cast, link, region="us-east", vendor=acme)
    factories.agree(link)
    theirs = tied_initiatives.term(cast, acme, by=cast.lead)
    assert theirs.awaits_confirmation
    assert held(initiative) == []
    assert answers(initiative) == []
    for seat in (cast.seat_risk, cast.seat_security):
        assert Notification.objects.filter(person=seat, kind="term to confirm").count() == 1
        assert "confirm the term" in Notification.objects.get(person=seat, kind="term to confirm").subject
    for person in (cast.lead, cast.owner, cast.chair, cast.seat_architecture):
        with pytest.raises(Refused):
            residency_actions.confirm_vendor_term(term=theirs, by=person)
    person = getattr(cast, confirmer)
    done = residency_actions.confirm_vendor_term(term=theirs, by=person)
    assert (done.awaits_confirmation, done.confirmed_by) == (False, person)
    assert len(held(initiative)) == 1
    assert Entry.objects.acts().filter(kind="vendor term confirmed").count() == 1
    with pytest.raises(Conflict):
        residency_actions.confirm_vendor_term(term=theirs, by=person)
    with pytest.raises(Refused):
        residency_actions.withdraw_vendor_term(term=theirs, reason="Too strict", by=cast.lead)


def test_what_a_seat_or_an_admin_files_is_confirmed_by_that_and_rows_of_before_bind(cast):
    acme = tied_initiatives.vendor(cast)
    for person in (cast.seat_risk, cast.admin):
        row = tied_initiatives.term(cast, acme, by=person)
        assert (row.awaits_confirmation, row.confirmed_by) == (False, person)
    with acting(system="test", reason="As it was filed before terms were confirmed"):
        row.confirmed_by = row.confirmed_at = None
        row.save()
    assert row in type(row).objects.current().exclude(pk__in=type(row).objects.unconfirmed())


def test_a_term_says_what_is_wrong_with_it(cast):
    for field, wrong in (
        ("reference", {"reference": " "}),
        ("allowed", {"allowed": []}),
        ("allowed", {"allowed": ["EU", "mars-1"]}),
        ("forbidden", {"forbidden": ["mars-1"]}),
        ("ends_on", {"ends_on": date(2025, 1, 1)}),
        ("kind", {"kind": "other"}),
    ):
        with pytest.raises(ValidationError) as found:
            tied_initiatives.term(cast, tied_initiatives.vendor(cast), **wrong)
        assert set(found.value.message_dict) == {field}


def test_each_act_leaves_its_entry(cast, initiative):
    acme = tied_initiatives.vendor(cast)
    tied_initiatives.transfer(
        cast, tied_initiatives.link(cast, initiative, tied_initiatives.system(cast)), vendor=acme
    )
    first = Entry.objects.acts().order_by("-pk").values_list("pk", flat=True)[0]
    term = tied_initiatives.term(cast, acme)
    kinds = Entry.objects.acts().filter(pk__gt=first).order_by("pk").values_list("kind", "initiative_ref")
    assert list(kinds) == [
        ("vendor term filed", ""),
        ("changed", initiative.ref),
        ("register found", initiative.ref),
        ("hold opened", initiative.ref),
    ]
    assert residency_actions.initiatives_of_vendor(acme) == [initiative.pk]
    assert residency_actions.initiatives_of_unit(cast.unit.parent) == [initiative.pk]
    residency_actions.withdraw_vendor_term(term=term, reason="Misread", by=cast.seat_security)
    assert Entry.objects.acts().filter(kind="vendor term withdrawn").count() == 1


def test_many_initiatives_cost_no_statement_more_than_few(cast):
    """One statement finds what is forbidden; voids, holds, entries and supported stages of all are written together."""
    crm, counts = tied_initiatives.system(cast), []
    for name, number in (("Few", 2), ("Many", 7)):
        of = tied_initiatives.vendor(cast, name)
        for n in range(number):
            initiative = factories.make_initiative(cast, title=f"{name} {n}")
            tied_initiatives.transfer(cast, tied_initiatives.link(cast, initiative, crm), vendor=of)
        with CaptureQueriesContext(connection) as asked:
            tied_initiatives.term(cast, of)
        reading = [one for one in asked.captured_queries if "enclosing" in one["sql"]]
        assert len(reading) == 2, "which are touched, and what the register says of them"
        counts.append(len(asked))
    assert Hold.objects.open().filter(kind="residency").count() == 9
    assert counts[1] <= counts[0], counts
