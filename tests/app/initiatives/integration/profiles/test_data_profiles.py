"""Data profiles of an initiative: added from files that are not kept, compared with the last; changes confirmed, and
exact.
"""

import dataclasses
import json
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile

from adoption.demo import initiative_acts
from governance import clock
from governance.files.upload_policy import check_file
from governance.models import Notification
from governance.permission_result import Conflict, Refused
from initiatives.integration.definitions import actions as definition_actions
from initiatives.integration.profiles import actions as profile_actions
from initiatives.integration.profiles import drift_effects
from initiatives.models import ChangeRecord, Drift, Initiative, Profile, RequirementFinding, Voiding
from tests.support import factories
from tests.support.initiatives.initiative_pages import acts, at, text_of
from tests.support.paths import PROFILES

pytestmark = pytest.mark.django_db


def upload(*rows: str, name: str = "orders.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, "\n".join([*rows, ""]).encode())


def result(tool: str) -> SimpleUploadedFile:
    """A result file as the tool wrote it."""
    return SimpleUploadedFile(f"{tool}.json", (PROFILES / f"{tool}.json").read_bytes())


def linked(cast, **fields):
    """An initiative that is linked to a system."""
    initiative = factories.make_mvp(cast, **fields)
    return initiative, factories.make_link(cast, initiative, agreed=True).system


def add(cast, initiative, system, file=None, **fields) -> Profile:
    return profile_actions.add_profile(
        initiative=initiative,
        system=system,
        upload=file or upload("id,region", "1,north", "2,south"),
        data_set=fields.pop("data_set", "Orders"),
        taken_on=fields.pop("taken_on", clock.today()),
        by=fields.pop("by", cast.lead),
        **fields,
    )


def changed(cast, initiative, system, **fields) -> Profile:
    """The later of two profiles, which lacks a column."""
    add(cast, initiative, system, taken_on=clock.today() - timedelta(days=30), **fields)
    return add(cast, initiative, system, upload("id", "1", "2"), **fields)


def ahead_of(profile) -> drift_effects.Consequences:
    initiatives = list(Initiative.objects.filter(pk__in=drift_effects.initiatives_of(profile, profile.by)))
    return drift_effects.consequences(profile, initiatives)


def measured_otherwise(initiative) -> list[str]:
    rows = RequirementFinding.objects.current().filter(initiative=initiative, source__endswith=":measured")
    return [row.words for row in rows]


def test_a_table_is_counted_and_recorded(cast):
    initiative, system = linked(cast)
    with acts() as kinds:
        row = add(cast, initiative, system)
    assert kinds == ["profile added"]
    row.refresh_from_db()
    assert (row.tool, row.rows, row.duplicates, row.file_name) == ("count", 2, 0, "orders.csv")
    assert [column["name"] for column in row.columns] == ["id", "region"]
    assert row.findings == []


def test_a_result_names_its_data_set_unless_somebody_does(cast):
    initiative, system = linked(cast)
    assert add(cast, initiative, system, result("great_expectations"), data_set="").data_set == "customers"
    with pytest.raises(ValidationError, match="Name the data set"):
        add(cast, initiative, system, result("evidently"), data_set=" ")


@pytest.mark.parametrize(("tool", "changes"), [("great_expectations", 2), ("evidently", 2), ("ydata", 0)])
def test_drift_and_failed_checks_of_the_schema_can_be_confirmed(cast, tool, changes):
    initiative, system = linked(cast)
    row = add(cast, initiative, system, result(tool))
    row.refresh_from_db()
    assert len(row.changes) == changes
    assert "ann" not in json.dumps([row.columns, row.findings])


def test_what_is_wrong_is_said_at_its_field_and_nothing_is_kept(cast, settings):
    initiative, system = linked(cast)
    for wrong, fields in (
        ("taken_on", {"taken_on": clock.today() + timedelta(days=3)}),
        ("file", {"file": upload("{}")}),
        ("system", {"system": factories.make_system(cast, "Elsewhere")}),
        ("encoding", {"file": SimpleUploadedFile("x.csv", "id,street\n1,Stra\xdfe\n".encode("cp850"))}),
    ):
        with pytest.raises(ValidationError) as refused:
            add(cast, initiative, **{"system": system} | fields)
        assert list(refused.value.message_dict) == [wrong]
    settings.UPLOAD_MAX_BYTES = 3
    with pytest.raises(ValidationError, match="larger than"):
        add(cast, initiative, system)
    with pytest.raises(Refused):
        add(cast, initiative, system, by=cast.outsider)
    assert not Profile.objects.exists()


def test_the_last_profile_is_that_of_the_same_data_set(cast):
    initiative, system = linked(cast)
    other = factories.make_link(cast, initiative, factories.make_system(cast, "Elsewhere")).system
    add(cast, initiative, system, data_set="Customers", file=upload("mail", "a"))
    add(cast, initiative, other, file=upload("mail", "a"))
    first = add(cast, initiative, system, data_set="orders")
    later = add(cast, initiative, system, upload("id", "1"))
    assert [one["words"] for one in later.findings] == ["region was removed."]
    assert profile_actions.last_before(later) == first
    assert profile_actions.last_before(first) is None


def test_a_field_that_is_measured_otherwise_than_declared_is_named(cast):
    initiative, system = linked(cast)
    term = factories.make_term(cast, "customer", "Who buys from us.")
    definition_actions.use_term(initiative=initiative, name="customer", by=cast.lead)
    definition_actions.define(
        term=term, system=system, field="id", meaning="account", identifier_mask="9{10}", by=cast.lead
    )
    assert measured_otherwise(initiative) == []
    add(cast, initiative, system, upload("id,region", "AB1,north", "AB2,south"))
    (words,) = measured_otherwise(initiative)
    assert "most measured values are A{2}9{1}" in words


def test_confirmed_changes_void_exactly_what_the_page_showed(cast, as_):
    initiative, system = linked(cast)
    row = changed(cast, initiative, system)
    ahead = ahead_of(row)
    assert ahead.trigger == "integration_schema"
    page = text_of(as_(cast.lead).get(at("integration-profile", row.pk)))
    assert "region was removed." in page
    for rows in ahead.voidings.values():
        assert all(one.evidence.title in page for one in rows)
    with acts() as kinds:
        drift = profile_actions.confirm_drift(profile=row, seen=ahead.digest, by=cast.lead)
    assert "drift confirmed" in kinds
    assert "changed" in kinds
    wanted = {(one.evidence_id, one.requirement) for some in ahead.voidings.values() for one in some}
    got = set(Voiding.objects.filter(change=drift.change).values_list("evidence_id", "requirement"))
    assert got == wanted
    assert wanted
    assert (drift.change.triggers, drift.change.system_id) == (["integration_schema"], system.pk)
    with pytest.raises(Conflict):
        profile_actions.confirm_drift(profile=row, seen=ahead.digest, by=cast.lead)


def test_a_number_of_rows_is_a_matter_of_the_source(cast):
    initiative, system = linked(cast)
    one = {
        "success": False,
        "expectation_config": {"type": "expect_table_row_count_to_equal", "kwargs": {"value": 5}},
        "result": {"observed_value": 4},
    }
    file = SimpleUploadedFile("gx.json", json.dumps({"success": False, "results": [one]}).encode())
    row = add(cast, initiative, system, file)
    assert (row.rows, ahead_of(row).trigger) == (4, "data_source")


def test_another_list_than_the_page_showed_is_not_confirmed(cast):
    initiative, system = linked(cast)
    row = changed(cast, initiative, system)
    with pytest.raises(Conflict, match="Read the consequences again"):
        profile_actions.confirm_drift(profile=row, seen="0" * 64, by=cast.lead)
    with pytest.raises(Refused):
        profile_actions.confirm_drift(profile=row, seen=ahead_of(row).digest, by=cast.outsider)
    quiet = add(cast, initiative, system, upload("id", "1"))
    with pytest.raises(ValidationError, match="nothing to confirm"):
        profile_actions.confirm_drift(profile=quiet, seen="", by=cast.lead)
    assert not Drift.objects.exists()


def test_cases_tied_to_the_system_are_reached_and_others_are_not(cast):
    initiative, system = linked(cast)
    tied = factories.make_mvp(cast, title="Tied")
    factories.make_link(cast, tied, system)
    free = factories.make_mvp(cast, title="Free")
    row = changed(cast, initiative, system)
    before = ChangeRecord.objects.count()
    profile_actions.confirm_drift(profile=row, seen=ahead_of(row).digest, by=cast.lead)
    reached = list(ChangeRecord.objects.order_by("pk").values_list("initiative", flat=True)[before:])
    assert sorted(reached) == sorted([initiative.pk, tied.pk])
    assert free.pk not in reached


def test_changes_that_somebody_finds_end_nothing_in_initiatives_of_others(cast):
    initiative, system = linked(cast)
    stranger = cast.sponsor
    other = factories.make_initiative(cast, title="A stranger's idea", owner=stranger, by=stranger)
    initiative_acts.staff(other, dataclasses.replace(cast.team, owner=stranger), ("technical_lead",))
    factories.make_link(cast, other, system, by=stranger)
    row = changed(cast, other, system)
    before = initiative.changes.count()
    seen = drift_effects.consequences(row, [other]).digest
    profile_actions.confirm_drift(profile=row, seen=seen, by=stranger)
    assert initiative.changes.count() == before, "nobody agreed to the idea's link"
    assert Notification.objects.filter(person=system.owner, kind="drift").count() == 1


def test_evidence_that_quotes_values_of_the_data_is_refused():
    for tool in ("great_expectations", "evidently", "ydata"):
        with pytest.raises(ValidationError, match="Add the result under Data profiles"):
            check_file(result(tool))
    empty = b'{"success": true, "results": [{"result": {"partial_unexpected_list": []}}]}'
    assert check_file(SimpleUploadedFile("gx.json", empty)) == "application/json"


# Pages


def test_a_profile_is_added_and_read_beside_the_last_one(cast, as_):
    initiative, system = linked(cast)
    client = as_(cast.steward)
    said = {"system": system.pk, "data_set": "Orders", "taken_on": clock.today().isoformat()}
    for file in (upload("id,region", "O1,north", "O2,"), upload("id,region", "O1,", "O2,", "O2,", "O3,x")):
        answer = client.post(at("initiative-act", initiative.ref, "add-profile"), said | {"file": file})
        assert answer.status_code == 302
    row = Profile.objects.order_by("pk").last()
    page = text_of(client.get(at("integration-profile", row.pk)))
    for words in ("75 %", "(before: 50 %)", "A{1}9{1}", "(before: 2)", "Duplicate rows", "no failed check"):
        assert words in page
    assert "Counted by Plumbline" in text_of(client.get(at("integration-profiles", initiative.ref)))
    assert as_(cast.outsider).get(at("integration-profile", row.pk)).status_code == 404


def test_changes_are_confirmed_on_the_page(cast, as_):
    initiative, system = linked(cast)
    row = changed(cast, initiative, system)
    client, place = as_(cast.lead), at("integration-profile", row.pk)
    assert "not confirmed" in text_of(client.get(at("integration-profiles", initiative.ref)))
    seen = client.get(place).context["ahead"].digest
    assert client.post(place, {"seen": seen}).status_code == 302
    assert "Confirmed" in text_of(client.get(place))
