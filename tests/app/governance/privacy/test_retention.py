"""Retention, legal holds, the report of a person, and the commands by which an erasure is asked for."""

import io
import json
import zipfile
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from governance import clock
from governance.models import Entry, EntryBody, LegalHold, User
from governance.permission_result import Refused
from governance.privacy import erasure, retention, subject_access
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.portfolio.units import leaving
from tests.support import factories
from tests.support.database import snapshots
from tests.support.initiatives.initiative_pages import SIGNED

pytestmark = pytest.mark.django_db

NAME, LOGIN = "Dana Whitfield", "dana.whitfield"


def called(*arguments: str) -> str:
    """What a command says."""
    said = io.StringIO()
    call_command(*arguments, stdout=said)
    return said.getvalue()


def stopped(cast, title: str = "Customer summary assistant"):
    """An initiative that ended today."""
    initiative = factories.make_initiative(cast, title=title)
    return stage_actions.stop(initiative=initiative, reason_code="no_value", reason="No use", by=cast.owner)


# --- What is due -----------------------------------------------------------------------------------------------------


def test_a_initiative_is_due_on_the_last_day_of_retention_and_not_before(cast, settings):
    initiative, _running = stopped(cast), factories.make_initiative(cast, title="Runs on")
    ended = clock.today()
    with clock.simulated(clock.now() + timedelta(days=729)):
        assert retention.due() == []
    with clock.simulated(clock.now() + timedelta(days=730)):
        assert retention.due() == [
            retention.Due(initiative.ref, initiative.title, ended, ended + timedelta(days=730)),
        ]
        settings.RETENTION_DAYS = 1000
        assert retention.due() == []


def test_a_withdrawn_idea_is_due_too(cast):
    initiative = factories.make_initiative(cast)
    detail_actions.withdraw(initiative=initiative, reason="Registered twice", by=cast.owner)
    with clock.simulated(clock.now() + timedelta(days=730)):
        assert [row.ref for row in retention.due()] == [initiative.ref]


def test_the_report_names_what_is_due_and_what_holds_it(cast):
    initiative = stopped(cast)
    assert "opened" in called("retention", "--hold", initiative.ref, "--reason", "A claim", "--by", "auditor")
    hold = LegalHold.objects.get()
    with clock.simulated(clock.now() + timedelta(days=731)):
        told = json.loads(called("retention", "--report", "--json"))
        words = called("retention")
    assert told["retention_days"] == 730
    assert [(row["ref"], row["held_by"]) for row in told["due"]] == [
        (initiative.ref, [f"Legal hold {hold.pk}: A claim"])
    ]
    assert told["legal_holds"] == [
        {"hold": hold.pk, "initiative": initiative.ref, "person": None, "reason": "A claim"}
    ]
    assert f"Held: Legal hold {hold.pk}: A claim." in words
    assert "lifted" in called("retention", "--lift", str(hold.pk), "--reason", "Ended", "--by", "admin")
    assert json.loads(called("retention", "--json"))["legal_holds"] == []


# --- Legal holds -----------------------------------------------------------------------------------------------------


def test_holds_are_governed_acts_of_admins_and_auditors(cast):
    initiative = factories.make_initiative(cast)
    hold = retention.open_hold(initiative_ref=initiative.ref, reason="An inquiry", by=cast.auditor)
    retention.lift_hold(hold=hold, reason="Over", by=cast.admin)
    kinds = list(Entry.objects.acts().order_by("pk").values_list("kind", flat=True))
    assert kinds[-2:] == ["legal hold opened", "legal hold lifted"]
    assert [row.history_type for row in LegalHold.history.order_by("history_id")] == ["+", "~"]
    assert Entry.objects.rows().filter(table="governance_legalhold").count() == 2
    with pytest.raises(Refused, match="already lifted"):
        retention.lift_hold(hold=hold, reason="Again", by=cast.admin)
    with pytest.raises(Refused, match="Only admins and auditors"):
        retention.open_hold(initiative_ref=initiative.ref, reason="Mine", by=cast.owner)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"initiative_ref": "AI-9999", "reason": "A claim"}, "Initiative AI-9999 does not exist"),
        ({"initiative_ref": "AI-0001", "reason": " "}, "Give the reason"),
        ({"reason": "A claim"}, "one initiative or one person"),
    ],
)
def test_a_hold_says_on_what_and_why(cast, asked, words):
    with pytest.raises(ValidationError, match=words):
        retention.open_hold(**asked, by=cast.admin)
    with pytest.raises(ValidationError, match="one initiative or one person"):
        retention.open_hold(initiative_ref="AI-0001", person=cast.owner, reason="A claim", by=cast.admin)


def test_the_page_shows_what_is_kept_and_erased_and_opens_and_lifts_holds(
    cast, as_, django_assert_max_num_queries
):
    initiative = stopped(cast)
    auditor = as_(cast.auditor)
    for sent, words in (
        ({"hold-why": "A claim"}, "one initiative or one person"),
        ({"hold-initiative": "AI-9999", "hold-why": "A claim"}, "Initiative AI-9999 does not exist"),
        ({"hold-login": "nobody", "hold-why": "A claim"}, "No one signs in as nobody"),
    ):
        assert words in auditor.post("/audit/retention/", sent).content.decode()
    assert (
        auditor.post(
            "/audit/retention/", {"hold-initiative": initiative.ref, "hold-why": "A claim"} | SIGNED
        ).status_code
        == 302
    )
    person = leaving.deactivate(person=cast.outsider, reason="Left", by=cast.admin)
    erasure.erase(person=person, why="Asked", duty="GDPR", by=cast.admin)
    with clock.simulated(clock.now() + timedelta(days=730)), django_assert_max_num_queries(34):
        page = as_(cast.admin).get("/audit/retention/").content.decode()
    assert "A claim" in page
    assert f"erased the data of a person, since then “erased person {person.pk}”: Asked (GDPR)" in page
    assert page.count(initiative.ref) >= 2
    hold = LegalHold.objects.get()
    assert (
        as_(cast.admin)
        .post("/audit/retention/", {"lift-hold": hold.pk, "lift-why": "Over"} | SIGNED)
        .status_code
        == 302
    )
    assert not LegalHold.objects.open().exists()


# --- The report of a person ------------------------------------------------------------------------------------------


@pytest.fixture
@snapshots.kept
def dana(cast) -> User:
    """Somebody who asks what is held about her."""
    person = factories.make_person(LOGIN, cast.unit, full_name=NAME)
    initiative = factories.make_initiative(cast)
    role_actions.propose_role(initiative=initiative, role="support_owner", person=person, by=cast.owner)
    role_actions.accept_role(assignment=initiative.roles.open().get(person=person), by=person)
    return person


def test_a_person_gets_everything_that_is_held_about_her(cast, dana, tmp_path):
    file = tmp_path / "dana.zip"
    said = called("subject_access", LOGIN, str(file), "--by", "admin")
    with zipfile.ZipFile(file) as archive:
        told, page = json.loads(archive.read("data.json")), archive.read("index.html").decode()
    assert told["tables"]["governance_user"][0]["full_name"] == NAME
    assert "password" not in told["tables"]["governance_user"][0]
    assert {"initiatives_roleassignment", "governance_historicaluser"} <= told["tables"].keys()
    kinds = {(row["kind"], row["table"]) for row in told["entries"]}
    assert {("role proposed", ""), ("role accepted", ""), ("row", "governance_user")} <= kinds
    assert all(NAME in json.dumps(row) or LOGIN in json.dumps(row) for row in told["entries"])
    assert f"<h1>What is held about {NAME}</h1>" in page
    assert page.count("<h3>") == len(told["entries"])
    assert f"entries: {len(told['entries'])}" in said
    entry = Entry.objects.acts().order_by("pk").last()
    assert (entry.kind, entry.actor_id, entry.facts["facts"]["person_id"]) == (
        "subject access report taken",
        cast.admin.pk,
        dana.pk,
    )


def test_the_report_of_a_person_is_for_admins_and_overwrites_nothing(cast, dana, tmp_path):
    with pytest.raises(Refused):
        subject_access.take(person=dana, to=tmp_path / "a.zip", by=cast.auditor)
    assert not (tmp_path / "a.zip").exists()
    (tmp_path / "b.zip").write_text("kept")
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("subject_access", LOGIN, str(tmp_path / "b.zip"), "--by", "admin")
    assert (tmp_path / "b.zip").read_text() == "kept"
    assert not Entry.objects.filter(kind="subject access report taken").exists()


# --- Erasing by command ----------------------------------------------------------------------------------------------


def test_an_erasure_is_tried_then_done_by_command(cast, dana, tmp_path):
    asked = ("erase_person", LOGIN, "--why", "Asked", "--duty", "GDPR, Article 17", "--by", "admin")
    with pytest.raises(CommandError, match="is active"):
        call_command(*asked)
    tried = called(*asked, "--deactivate", "--dry-run", "--json")
    would = json.loads(tried.splitlines()[-1])
    assert "would be erased" in tried
    assert (User.objects.get(pk=dana.pk).full_name, EntryBody.objects.filter(body=b"").count()) == (NAME, 0)
    done = json.loads(called(*asked, "--deactivate", "--json").splitlines()[-1])
    assert (done["entries"], done["rows"], done["left"]) == (would["entries"], would["rows"], {})
    assert EntryBody.objects.filter(body=b"").count() == done["entries"]
    log = tmp_path / "log.jsonl"
    assert "1 erasures added" in called("erase_person", "--erasures-log", str(log))
    assert json.loads(log.read_text())["act"] == done["act"]


def test_what_is_wrong_with_the_request_is_said(cast, dana):
    for change, words in (
        (["--by", "nobody"], "No one signs in as 'nobody'"),
        (["--by", "auditor", "--deactivate"], "Only admins"),
        (
            ["--override-retention", "Court", "--and-auditor", "owner", "--deactivate"],
            "agreement of an auditor",
        ),
        (["--override-retention", "Court"], "--and-auditor"),
        (["--why", f"For {NAME}", "--deactivate"], "without the person's name"),
    ):
        asked = ["erase_person", LOGIN, "--why", "Asked", "--duty", "GDPR", "--by", "admin", *change]
        with pytest.raises(CommandError, match=words):
            call_command(*asked)
        assert User.objects.get(pk=dana.pk).is_active
