"""Samples of a case: sent, measured once whatever is lost, removed when they should be; drift confirmed, and exact."""

import csv
import dataclasses
import io
import os
from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from adoption.demo import case_acts
from governance import clock
from governance.models import Notice
from governance.permission_result import Conflict, Refused
from initiatives import tasks as initiatives_tasks
from initiatives.integration.measurement import measuring_process
from initiatives.integration.profiles import actions as profile_actions
from initiatives.integration.profiles import drift_effects, sample_files
from initiatives.models import ChangeRecord, Drift, Profile, Voiding
from tests.acceptance.profiles.test_drift import orders
from tests.support import factories
from tests.support.cases.case_pages import acts, at, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _place(settings, tmp_path):
    settings.SAMPLES_DIR = tmp_path / "samples"


def upload(rows=None, name="orders.csv") -> SimpleUploadedFile:
    """A sample as a browser sends it."""
    rows = orders(300, 1) if rows is None else rows
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return SimpleUploadedFile(name, text.getvalue().encode())


def linked(cast, **fields):
    """A case that is linked to a system."""
    case = factories.make_mvp(cast, **fields)
    return case, factories.make_link(cast, case, agreed=True).system


def send(cast, case, system, rows=None, **fields) -> Profile:
    return profile_actions.add_profile(
        case=case,
        system=system,
        upload=upload(rows),
        title=fields.pop("title", "Orders"),
        taken_on=fields.pop("taken_on", clock.today()),
        by=fields.pop("by", cast.lead),
        **fields,
    )


def lying() -> list[str]:
    return sorted(sample_files.there())


def measured(cast, case, system, rows, **fields) -> Profile:
    return profile_actions.measure_profile(send(cast, case, system, rows, **fields).pk)


def test_a_sample_is_measured_and_gone(cast):
    case, system = linked(cast)
    with acts() as kinds:
        row = send(cast, case, system)
        assert (row.state, len(lying())) == ("waiting", 1)
        row = profile_actions.measure_profile(row.pk)
    assert kinds == ["profile added", "profile measured"]
    row.refresh_from_db()
    assert (row.state, row.rows, row.stored, row.kept_until) == ("measured", 300, "", None)
    assert {one["name"] for one in row.columns} >= {"order_no", "customer"}
    assert profile_actions.measure_profile(row.pk) is None  # a knock that comes twice


@pytest.fixture
def committed(django_capture_on_commit_callbacks):
    """Run an act and what it leaves for after the commit."""

    def run(act):
        with django_capture_on_commit_callbacks(execute=True):
            return act()

    return run


def test_the_file_is_removed_once_that_is_committed(cast, committed):
    case, system = linked(cast)
    row = send(cast, case, system)
    committed(lambda: profile_actions.measure_profile(row.pk))
    assert lying() == []


def test_sent_it_is_measured_by_the_worker(cast, committed):
    case, system = linked(cast)
    row = committed(lambda: send(cast, case, system))
    row.refresh_from_db()
    assert (row.state, lying()) == ("measured", [])


def test_a_measuring_that_was_lost_is_done_again_three_times_at_most(cast, monkeypatch):
    case, system = linked(cast)
    row = send(cast, case, system)

    def killed(*_, **__):
        raise SystemExit

    monkeypatch.setattr(measuring_process, "run", killed)
    now = clock.now()
    for attempt in range(3):
        with time_machine.travel(now + attempt * timedelta(hours=1), tick=False):
            assert profile_actions.claim_samples() == [row.pk]
            with pytest.raises(SystemExit):
                profile_actions.measure_profile(row.pk)
            assert profile_actions.measure_profile(row.pk) is None  # somebody has just begun
    with time_machine.travel(now + timedelta(hours=4), tick=False):
        initiatives_tasks.tend_samples()
    row.refresh_from_db()
    assert (row.state, row.trouble) == (
        "failed",
        "Measuring was broken off three times. Upload a smaller sample.",
    )
    assert row.stored == ""


def test_what_cannot_be_measured_says_why_and_is_gone(cast, committed):
    case, system = linked(cast)
    broken = SimpleUploadedFile("x.parquet", b"PAR1" + b"\0" * 50)
    row = committed(
        lambda: profile_actions.add_profile(
            case=case, system=system, upload=broken, title="Half", taken_on=clock.today(), by=cast.lead
        )
    )
    row.refresh_from_db()
    assert row.state == "failed"
    assert "cut off" in row.trouble
    assert lying() == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x02\x00" + bytes(range(256)) * 8,
            "The file is not text, nor Parquet.",
        ),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(range(256)) * 8, "The file is not text, nor Parquet."),
        (b"PK\x03\x04" + b"x" * 50, "The file is a zip archive or a workbook."),
    ],
)
def test_what_is_no_table_is_refused_at_once_in_words_of_samples(cast, as_, content, said):
    case, system = linked(cast)
    fields = {"system": system.pk, "title": "Orders", "taken_on": clock.today().isoformat()}
    client, page = as_(cast.steward), at("integration-profile-add", case.ref)
    answer = client.post(page, fields | {"file": SimpleUploadedFile("orders.csv", content)})
    (error,) = answer.context["form"].errors["file"]
    assert error.startswith(said)
    assert "as CSV or Parquet" in error
    assert "inventory" not in text_of(answer)
    assert lying() == []
    assert not Profile.objects.exists()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_a_table_in_any_code_page_is_taken_in(cast, encoding):
    case, system = linked(cast)
    file = SimpleUploadedFile("orders.csv", "id,Straße\n1,Übergang\n2,Öl\n".encode(encoding))
    today = clock.today()
    assert profile_actions.add_profile(
        case=case, system=system, upload=file, title="O", taken_on=today, by=cast.lead
    )


def test_a_sample_that_failed_says_why_in_the_list_and_is_sent_again(cast, as_, committed):
    case, system = linked(cast)
    file = SimpleUploadedFile("x.parquet", b"PAR1" + b"\0" * 50)
    said = {"title": "Half", "period_column": "on", "taken_on": clock.today() - timedelta(days=3)}
    row = committed(
        lambda: profile_actions.add_profile(case=case, system=system, upload=file, by=cast.lead, **said)
    )
    page = text_of(as_(cast.lead).get(at("integration-profiles", case.ref)))
    link = f"{at('integration-profile-add', case.ref)}?again={row.pk}"
    assert "The Parquet file is cut off: its end is missing." in page
    assert link in page
    assert link in text_of(as_(cast.lead).get(at("integration-profile", row.pk)))
    form = as_(cast.lead).get(link).context["form"]
    assert {name: form[name].value() for name in said} == said
    assert form["system"].value() == system.pk
    assert link not in text_of(as_(cast.chair).get(at("integration-profiles", case.ref)))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"taken_on": timedelta(days=3)}, "taken_on"),
        ({"title": " "}, "title"),
        ({"kept_until": timedelta(days=31)}, "kept_until"),
        ({"kept_until": timedelta(days=-1)}, "kept_until"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_kept(cast, wrong, field):
    case, system = linked(cast)
    with pytest.raises(ValidationError) as refused:
        send(cast, case, system, **factories.from_today(wrong))
    assert list(refused.value.message_dict) == [field]
    assert lying() == []


def test_too_large_no_room_another_system_and_strangers_are_refused(cast, settings, monkeypatch):
    case, system = linked(cast)
    other = factories.make_system(cast, "Elsewhere")
    with pytest.raises(ValidationError, match="linked to"):
        send(cast, case, other)
    with pytest.raises(Refused):
        send(cast, case, system, by=cast.outsider)
    monkeypatch.setattr(measuring_process, "enough_room", lambda *_: False)
    with pytest.raises(ValidationError, match="no room"):
        send(cast, case, system)
    settings.SAMPLE_MAX_BYTES = 10
    with pytest.raises(ValidationError, match="larger than"):
        send(cast, case, system)
    assert lying() == []
    assert not Profile.objects.exists()


def test_a_sample_is_kept_to_its_day_and_no_longer(cast, committed):
    case, system = linked(cast)
    until = clock.today() + timedelta(days=5)
    row = committed(lambda: send(cast, case, system, kept_until=until))
    assert len(lying()) == 1
    with time_machine.travel(clock.now() + timedelta(days=5)):
        assert committed(profile_actions.remove_samples) == 0
    with time_machine.travel(clock.now() + timedelta(days=6)):
        assert committed(profile_actions.remove_samples) == 1
        assert committed(profile_actions.remove_samples) == 0
    row.refresh_from_db()
    assert (row.stored, row.state, lying()) == ("", "measured", [])


def test_a_kept_sample_is_removed_before_its_day_by_the_team(cast, as_, committed):
    case, system = linked(cast)
    row = committed(lambda: send(cast, case, system, kept_until=clock.today() + timedelta(days=5)))
    row.refresh_from_db()
    with pytest.raises(Refused):
        profile_actions.delete_sample(profile=row, by=cast.outsider)
    address = reverse("integration-sample-delete", args=[row.pk])
    assert committed(lambda: as_(cast.steward).post(address)).status_code == 302, "its button is all there is"
    assert lying() == []
    with pytest.raises(Conflict):
        profile_actions.delete_sample(profile=row, by=cast.steward)


def test_files_that_no_row_names_are_removed_once_they_are_old(cast):
    case, system = linked(cast)
    row = send(cast, case, system)
    for name in ("orphan", "young", "measuring-x"):
        place = sample_files.place_of(name)
        place.mkdir() if name.startswith("measuring") else place.write_bytes(b"x")
        if name != "young":
            os.utime(place, (1, 1))
    os.utime(sample_files.place_of(row.stored), (1, 1))
    assert profile_actions.remove_samples() == 2
    assert lying() == sorted([row.stored, "young"])


# Drift


def two(cast, case, system, change):
    """Two measured samples, the later one changed."""
    day = clock.today() - timedelta(days=30)
    earlier = measured(cast, case, system, orders(800, 1), title="Before", taken_on=day)
    later = measured(cast, case, system, change(orders(800, 2)), title="After")
    return earlier, later


def _dropped(rows):
    return [{key: value for key, value in row.items() if key != "region"} for row in rows]


def _fewer(rows):
    return rows[:200]


def ahead_of(earlier, later):
    cases = list(type(later.initiative).objects.filter(pk__in=drift_effects.cases_of(later, later.by)))
    return drift_effects.consequences(earlier, later, drift_effects.findings(earlier, later), cases)


def test_a_confirmed_drift_voids_exactly_what_its_page_said(cast, as_):
    case, system = linked(cast)
    earlier, later = two(cast, case, system, _dropped)
    ahead = ahead_of(earlier, later)
    assert ahead.trigger == "integration_schema"
    page = text_of(as_(cast.lead).get(at("integration-drift", case.ref, earlier.pk, later.pk)))
    assert "region is gone." in page
    for rows in ahead.voidings.values():
        assert all(row.evidence.title in page for row in rows)
    with acts() as kinds:
        row = profile_actions.confirm_drift(earlier=earlier, later=later, seen=ahead.digest, by=cast.lead)
    assert "drift confirmed" in kinds
    assert "changed" in kinds
    wanted = {(one.evidence_id, one.requirement) for some in ahead.voidings.values() for one in some}
    got = set(Voiding.objects.filter(change=row.change).values_list("evidence_id", "requirement"))
    assert got == wanted
    assert wanted
    assert (row.change.triggers, row.change.system_id) == (["integration_schema"], system.pk)
    with pytest.raises(Conflict):
        profile_actions.confirm_drift(earlier=earlier, later=later, seen=ahead.digest, by=cast.lead)


def test_fewer_rows_are_a_matter_of_the_source(cast):
    case, system = linked(cast)
    earlier, later = two(cast, case, system, _fewer)
    assert ahead_of(earlier, later).trigger == "data_source"


def test_another_list_than_the_page_showed_is_not_confirmed(cast):
    case, system = linked(cast)
    earlier, later = two(cast, case, system, _dropped)
    with pytest.raises(Conflict, match="Look again"):
        profile_actions.confirm_drift(earlier=earlier, later=later, seen="0" * 64, by=cast.lead)
    assert not Drift.objects.exists()
    with pytest.raises(Refused):
        profile_actions.confirm_drift(
            earlier=earlier, later=later, seen=ahead_of(earlier, later).digest, by=cast.outsider
        )


def test_cases_tied_to_the_system_are_reached_and_others_are_not(cast):
    case, system = linked(cast)
    tied = factories.make_mvp(cast, title="Tied")
    factories.make_link(cast, tied, system)
    free = factories.make_mvp(cast, title="Free")
    earlier, later = two(cast, case, system, _dropped)
    before = ChangeRecord.objects.count()
    profile_actions.confirm_drift(
        earlier=earlier, later=later, seen=ahead_of(earlier, later).digest, by=cast.lead
    )
    changed = list(ChangeRecord.objects.order_by("pk").values_list("initiative", flat=True)[before:])
    assert sorted(changed) == sorted([case.pk, tied.pk])
    assert free.pk not in changed


def test_a_drift_that_somebody_finds_ends_nothing_in_cases_of_others(cast):
    case, system = linked(cast)
    stranger = cast.sponsor
    other = factories.make_case(cast, title="A stranger's idea", owner=stranger, by=stranger)
    case_acts.staff(other, dataclasses.replace(cast.team, owner=stranger), ("technical_lead",))
    factories.make_link(cast, other, system, by=stranger)
    earlier, later = two(cast, other, system, _dropped)
    before, found = case.changes.count(), drift_effects.findings(earlier, later)
    seen = drift_effects.consequences(earlier, later, found, [other]).digest
    profile_actions.confirm_drift(earlier=earlier, later=later, seen=seen, by=stranger)
    assert case.changes.count() == before, "nobody agreed to the idea's link"
    assert Notice.objects.filter(person=system.owner, kind="drift").count() == 1


def test_samples_of_two_systems_or_in_the_wrong_order_are_not_compared(cast):
    case, system = linked(cast)
    earlier, later = two(cast, case, system, _dropped)
    with pytest.raises(ValidationError, match="first"):
        drift_effects.check(later, earlier)
    other = factories.make_link(cast, case, factories.make_system(cast, "Elsewhere")).system
    elsewhere = measured(cast, case, other, orders(100, 3))
    with pytest.raises(ValidationError, match="one system"):
        drift_effects.check(earlier, elsewhere)


# Pages


def test_a_sample_is_sent_and_read_on_its_pages(cast, as_):
    case, system = linked(cast)
    client = as_(cast.steward)
    answer = client.post(
        at("integration-profile-add", case.ref),
        {
            "system": system.pk,
            "title": "Orders of May",
            "taken_on": clock.today().isoformat(),
            "file": upload(),
        },
    )
    assert answer.status_code == 302
    row = Profile.objects.get()
    page = text_of(client.get(at("integration-profile", row.pk)))
    assert "It is being measured" in page
    assert "You may leave this page" in page
    profile_actions.measure_profile(row.pk)
    page = text_of(client.get(at("integration-profile", row.pk)))
    for words in ("order_no is a key", "O", "A{3}-9{8}", "Orders of May"):
        assert words in page
    assert "Orders of May" in text_of(client.get(at("integration-profiles", case.ref)))
    assert as_(cast.outsider).get(at("integration-profile", row.pk)).status_code == 404


def test_a_column_that_changed_is_drawn_with_a_table_behind(cast, as_):
    case, system = linked(cast)
    rows = [
        {"on": f"{2018 + n % 5}-{1 + n % 12:02}-05", "id": f"{n:010}" if n % 5 < 2 else f"AB{n:08}"}
        for n in range(2000)
    ]
    row = measured(cast, case, system, rows)
    page = text_of(as_(cast.owner).get(at("integration-profile", row.pk)))
    assert "id: “9{10}” until December 2019, “A{2}9{8}” from January 2020." in page
    assert '<svg class="chart"' in page
    assert "2019-12" in page
    assert page.index("9{6} is six digits") < page.index("until December 2019"), "explained before it is met"
    assert "`" not in page.partition("</h1>")[2]
    old, new = page.index("<code>9{10}</code> 40 %"), page.index("<code>A{2}9{8}</code> 60 %")
    assert old < new, "what was usual first stands first, not what is more frequent"


def test_drift_is_confirmed_on_its_page(cast, as_):
    case, system = linked(cast)
    earlier, later = two(cast, case, system, _dropped)
    client, place = as_(cast.lead), at("integration-drift", case.ref, earlier.pk, later.pk)
    seen = client.get(place).context["ahead"].digest
    assert client.post(place, {"seen": seen}).status_code == 302
    assert "Confirmed" in text_of(client.get(place))
    assert client.get(at("integration-drift", case.ref, later.pk, earlier.pk)).status_code == 404


def test_the_sample_is_held_against_the_whole_population(cast, as_):
    case, system = linked(cast)
    row = measured(cast, case, system, orders(800, 1))
    client, place = as_(cast.lead), at("integration-profile-cover", row.pk, column="region")
    assert client.post(place, {"strata": "north, 25 %\nsouth, fifty"}).status_code == 200
    client.post(place, {"strata": "north, 500\nsouth, 1000\nwest, 500"})
    page = text_of(client.get(place))
    for words in ("<b>75 %</b>", "Missing: west", "In the sample alone: east"):
        assert words in page
