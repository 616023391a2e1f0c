"""H1 and H2: what the owner of the tables writes past every guard is judged, and found at its row. M4: hashes too.

Every forgery is recorded as well as anything else: capture is on, history is written, acts are told. Only that it was
not allowed gives it away.
"""

import json
import shutil
import zipfile
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from adoption.demo import initiative_acts
from governance import clock
from governance.audit_log import entries
from governance.database.row_history import acting
from governance.models import ContractVersion, Entry, Membership, Rulebook, ServiceKey, User
from governance.offline import verify
from governance.privacy import personal_data, subject_access
from governance.transparency_log import sealing, verification
from initiatives.contracts.documents import actions as contract_actions
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.models import Obligation, Review
from initiatives.portfolio.registration import actions as registration_actions
from tests.support import factories
from tests.support.attacks import unguarded_writes
from tests.support.attacks.unguarded_writes import an_hour_later, unguarded
from tests.support.database.tampering import rewrite, tamper

pytestmark = pytest.mark.django_db

MUST = ("business_value", "risk_compliance", "security_privacy")  # three seats: the quorum of the MVP gate


@pytest.fixture
def initiative(cast):
    """A prototype."""
    return initiative_acts.propose_and_confirm_tier(factories.make_prototype(cast), cast.team)


@pytest.fixture
def review(cast, initiative):
    """Its open review of the MVP gate."""
    return review_actions.open_review(initiative=initiative, by=cast.owner)


def verified() -> verification.Report:
    """The audit log, looked at after everything that was forged an hour later."""
    with an_hour_later():
        return verification.verify()


def found() -> list[tuple[str, str, str]]:
    """What is wrong, by table, row and field; nothing that only comparing finds."""
    report = verified()
    assert {one.place for one in report.findings} <= {"judged"}, report.findings
    return [(one.table, one.key, one.field) for one in report.findings]


def said() -> str:
    """The words of everything that is wrong."""
    return "\n".join(str(one) for one in verified().findings)


def taken(folder: Path, *options: str) -> Path:
    """An export, unpacked."""
    file = folder / "taken.zip"
    file.unlink(missing_ok=True)
    shutil.rmtree(folder / "taken", ignore_errors=True)
    call_command("export_audit_log", *options, "--to", str(file), stdout=StringIO(), stderr=StringIO())
    with zipfile.ZipFile(file) as archive:
        archive.extractall(folder)
    return folder / "taken"


def checked(folder: Path) -> list[str]:
    """What verify.py says of an export; raises Rejected."""
    return verify._check_place(str(folder), (), ())


# Honest life


def test_an_honest_life_gives_no_finding(cast, tmp_path):
    initiative = factories.make_production(cast)
    factories.make_key(cast, initiative)
    with an_hour_later():
        unguarded_writes.move(initiative, "mvp", by=cast.chair, basis="step back")  # as the act writes it
    report = verified()
    assert (report.findings, report.unjudged) == ([], 0)
    assert report.judged > 15
    for options in (["--all"], ["--initiative", initiative.ref]):
        lines = "\n".join(checked(taken(tmp_path, *options)))
        assert "were judged" in lines
        assert "could not" not in lines


# H2, H1 a: the stage


def test_a_stage_set_with_its_guard_off_for_a_moment(cast, initiative, tmp_path):
    """H2. The same as H1 a leaves: a stage that changed, recorded well, and nothing that says why."""
    assert found() == []
    unguarded_writes.set_stage(initiative, "production", by=cast.owner)
    assert found() == [("initiatives_initiative", str(initiative.pk), "stage")]
    assert "the stage moved from prototype to production, but its transaction has no stage change" in said()
    with pytest.raises(CommandError, match="but its transaction has no stage change"):
        call_command("verify_audit_log", stdout=StringIO())
    for options in (["--all"], ["--initiative", initiative.ref]):
        with pytest.raises(verify.Rejected, match="but its transaction has no stage change"):
            checked(taken(tmp_path, *options))


def test_a_stage_change_without_its_act_or_decision(cast, initiative):
    unguarded_writes.move(initiative, "mvp", by=cast.owner, told=False)
    assert found() == [
        ("initiatives_stagechange", _change(initiative), field) for field in ("entry_id", "review_id")
    ]


def test_a_stage_change_marked_as_used_by_hand(cast, initiative):
    """H1 f: the stage did not change."""
    with unguarded("initiatives_stagechange"), acting(by=cast.owner), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO initiatives_stagechange (xact, initiative_id, from_stage, to_stage, basis, reason, at,"
            " supported_then, entry_id, consumed) SELECT plumbline_xact(), initiative_id, 'prototype', 'mvp',"
            " 'step back', '', now(), '', entry_id, true FROM initiatives_stagechange LIMIT 1"
        )
    assert ("initiatives_stagechange", _change(initiative), "consumed") in found()


def test_a_step_back_by_somebody_who_is_no_chair(cast, tmp_path):
    initiative = factories.make_mvp(cast)
    with an_hour_later():
        unguarded_writes.move(initiative, "prototype", by=cast.outsider, basis="step back")
    assert found() == [("initiatives_stagechange", _change(initiative), "person_id")]
    assert "did not hold the seat chair or deputy chair" in said()


def _change(initiative) -> str:
    return str(initiative.stage_changes.latest("pk").pk)


# H1 b: decisions


def test_a_review_approved_without_sign_offs_by_nobody_of_the_board(cast, review):
    with an_hour_later():
        unguarded_writes.approve(review, by=cast.outsider)
    here = ("initiatives_review", str(review.pk))
    assert found() == [(*here, "person_id"), (*here, "outcome")]
    words = said()
    assert f"approved by person {cast.outsider.pk}, who did not hold the seat chair or deputy chair" in words
    assert (
        "approved with 0 of the 3 seats that the rulebook requires, without business value and risk compliance"
        in words
    )


def test_a_sign_off_that_was_decided_on_and_that_nobody_cast(cast, review, tmp_path):
    class NeverCast:
        digest = "0" * 64

    with an_hour_later():
        unguarded_writes.approve(review, by=cast.chair, sign_offs=[NeverCast])
    assert found() == [("initiatives_review", str(review.pk), field) for field in ("findings", "outcome")]
    with pytest.raises(verify.Rejected, match="names a sign-off that does not exist"):
        checked(taken(tmp_path, "--initiative", review.initiative.ref))


def test_the_quorum_of_high_risk_is_the_rulebooks(cast):
    """Five seats of six at high risk: allowed where the tier is limited, found where it is high."""
    rules = verify.rules_of(Rulebook.objects.current().source)
    rulebook, gate = Rulebook.objects.current().parsed, rules.gates["production"]
    assert (gate.quorum, gate.quorum_high_risk) == (5, 6)
    assert rules.contract_seats == {"business_value", "risk_compliance"}
    for key, one in rules.gates.items():  # read from the text as the rulebook itself reads it
        kept = rulebook.gates[key]
        assert (one.must_include, one.seats) == (kept.must_include, set(kept.seats))
        assert one.blocking == {criterion.key for criterion in kept.criteria if criterion.blocking}
    sign_offs = [
        verify.Cast(seat, person, "approve", (), (), clock.now())
        for person, seat in enumerate(list(factories.SEAT_LOGINS)[:5])
    ]
    for tier, short in (("limited", 0), ("high", 1), ("", 0)):
        quorum = verify.quorum_for(tier, gate.quorum, gate.quorum_high_risk)
        assert verify.count_sign_offs(sign_offs, quorum, (), gate.blocking, gate.seats).short == short


def test_enough_sign_offs_that_do_not_count(cast, review):
    """Three seats signed off, one left its seat since, and the frozen findings do not say so."""
    sign_offs = [unguarded_writes.sign_off(review, seat, person=cast.seats[seat]) for seat in MUST]
    with unguarded("governance_membership"), acting(by=cast.admin):
        seat = Membership.objects.get(person=cast.seats["risk_compliance"])
        seat.ends_at = clock.now()
        seat.save()
    with an_hour_later():
        unguarded_writes.approve(review, by=cast.chair, sign_offs=sign_offs)
    assert "approved with 2 of the 3 seats that the rulebook requires, without risk compliance" in said()


def test_sign_offs_that_are_too_old_do_not_count(cast, review):
    sign_offs = [unguarded_writes.sign_off(review, seat, person=cast.seats[seat]) for seat in MUST]
    assert found() == []
    with clock.simulated(clock.now() + timedelta(days=400)):
        unguarded_writes.approve(review, by=cast.chair, sign_offs=sign_offs)
    assert "approved with 0 of the 3 seats" in said()


def test_an_approval_over_an_objection(cast, review):
    sign_offs = [
        unguarded_writes.sign_off(review, seat, person=cast.seats[seat])
        for seat in ("business_value", "risk_compliance", "architecture_integration")
    ]
    blocking = next(
        one.key for one in review.rulebook.parsed.criteria_of("mvp", "security_privacy") if one.blocking
    )
    sign_offs.append(
        unguarded_writes.sign_off(
            review, "security_privacy", person=cast.seat_security, verdict="object", criteria=[blocking]
        )
    )
    with an_hour_later():
        unguarded_writes.approve(review, by=cast.chair, sign_offs=sign_offs)
    assert found() == [("initiatives_review", str(review.pk), "outcome")]
    assert "approved although security privacy objects" in said()


def test_an_approval_at_a_lower_tier_than_the_one_proposed(cast, initiative, review):
    with an_hour_later():
        sign_offs = [unguarded_writes.sign_off(review, seat, person=cast.seats[seat]) for seat in MUST]
        detail_actions.propose_tier(
            initiative=initiative, tier="high", worst_credible_harm="A dismissal.", by=cast.owner
        )
        unguarded_writes.approve(review, by=cast.chair, sign_offs=sign_offs)
    assert ("initiatives_review", str(review.pk), "outcome") in found()
    assert "approved at the risk tier limited although high was proposed" in said()


def test_an_approval_after_a_step_back_that_nobody_answered(cast, initiative, review):
    with an_hour_later():
        sign_offs = [unguarded_writes.sign_off(review, seat, person=cast.seats[seat]) for seat in MUST]
        with acting(by=cast.chair):
            Obligation(
                initiative=initiative,
                kind="stepped_back",
                source="stepped_back:1",
                text="Why",
                due=clock.today(),
                opened_at=clock.now(),
            ).save()
            entries.record("obligation opened", initiative=initiative)
        unguarded_writes.approve(review, by=cast.chair, sign_offs=sign_offs)
    assert ("initiatives_review", str(review.pk), "outcome") in found()
    assert "approved although a step back was not answered" in said()


# H1 c: sign-offs


def test_a_sign_off_without_its_act(cast, review):
    """Sign-offs of people who may not: tests/app/initiatives/lifecycle/reviews/test_separation_of_duties.py."""
    with an_hour_later():
        row = unguarded_writes.sign_off(review, "service_operations", person=cast.seat_operations, told=False)
    assert set(found()) == {("initiatives_signoff", str(row.pk), "")}
    assert "no act 'signed off' of person" in said()


def test_a_sign_off_of_whoever_registered_the_initiative_while_nobody_owns_it(cast):
    """H1 c: no row of a role, so the guard of before saw none."""
    initiative = registration_actions.register(
        title="By a seat", unit=cast.unit, problem="Too slow", owner=cast.owner, by=cast.seat_risk
    )
    with unguarded("initiatives_review"), acting(by=cast.seat_risk):
        review = Review(
            initiative=initiative,
            gate="prototype",
            rulebook=factories.Rulebook.objects.current(),
            opened_by=cast.seat_risk,
            opened_at=clock.now(),
            expires_at=clock.now() + timedelta(days=30),
        )
        review.save()
        entries.record("review opened", initiative=initiative)
    with an_hour_later():
        row = unguarded_writes.sign_off(review, "risk_compliance", person=cast.seat_risk)
    assert found() == [("initiatives_signoff", str(row.pk), "person_id")]
    assert "registered this initiative, which has never had an owner" in said()


# H1 d: contracts


def test_a_contract_in_force_without_approval(cast, initiative):
    contract_actions.save_contract(initiative=initiative, clauses=[], by=cast.owner)
    version = ContractVersion.objects.get(contract__initiative=initiative, state="draft")
    with unguarded("governance_contractversion"), acting(by=cast.owner):
        version.state, version.digest = ContractVersion.IN_REVIEW, "a" * 64
        version.save()
        version.state, version.starts_at = ContractVersion.IN_FORCE, clock.now()
        version.save()
    here = ("governance_contractversion", str(version.pk))
    assert set(found()) == {(*here, "state"), (*here, "")}
    assert "is in force without the approval of business value and risk compliance" in said()


# Rules of the day


def test_nobody_gets_round_being_judged_by_leaving_out_the_number(cast, initiative, tmp_path):
    """The owner leaves the number out of what he writes, then takes it out of every entry: both are judged."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = 'plumbline_keep_row'")
        ((definition,),) = cursor.fetchall()
        assert definition.count(", 'rules', 1") == 3
        cursor.execute(definition.replace(", 'rules', 1", ""))
        unguarded_writes.set_stage(initiative, "production", by=cast.owner)
        cursor.execute(definition)
    newest = Entry.objects.rows().filter(table="initiatives_initiative").latest("pk")
    assert "rules" not in newest.facts
    stage = ("initiatives_initiative", str(initiative.pk), "stage")
    assert found() == [stage]
    for entry in Entry.objects.rows().select_related("body"):
        rewrite(entry, bytes(entry.body.body).replace(b', "rules" : 1', b""))
    sealing.seal()
    assert found() == [stage]
    with pytest.raises(verify.Rejected, match="the stage moved from prototype to production"):
        checked(taken(tmp_path, "--all"))


# M4: hashes


@pytest.mark.parametrize("table", ["governance_user", "governance_servicekey"])
def test_an_exchanged_hash_is_found_at_its_row(cast, table):
    column, key = "password", cast.seat_risk.pk
    if table == "governance_servicekey":
        row, _ = factories.make_key(cast, factories.make_mvp(cast))
        column, key = "secret_hash", row.pk
    assert verification.verify().ok
    old = _value(table, column, key)
    tamper(f"UPDATE {table} SET {column} = %s WHERE id = %s", "f" * 64, key, table=table)
    (one,) = verification.verify().findings
    assert (one.place, one.table, one.key, one.field) == ("row", table, str(key), column)
    tamper(f"UPDATE {table} SET {column} = %s WHERE id = %s", old, key, table=table)
    assert verification.verify().ok


def _value(table, column, key):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table} WHERE id = %s", [key])
        return cursor.fetchone()[0]


def test_a_new_password_has_its_own_digest(cast):
    def newest():
        return (
            Entry.objects.filter(table="governance_user", key=str(cast.owner.pk))
            .latest("pk")
            .facts["secrets"]
        )

    before = newest()
    with acting(by=cast.owner):
        person = User.objects.get(pk=cast.owner.pk)
        person.set_password("another correct horse")
        person.save()
        entries.record("password set", person_id=person.pk)
    assert newest()["password"] != before["password"]
    assert verification.verify().ok


def test_a_hash_exchanged_within_an_act_that_leaves_the_digest_out(cast):
    """The owner has capture write no digest: the newest entry lacks what those before it have."""
    entry = Entry.objects.filter(table="governance_user", key=str(cast.owner.pk)).latest("pk")
    with acting(by=cast.owner):
        person = User.objects.get(pk=cast.owner.pk)
        person.full_name += " again"
        person.save()
    newest = Entry.objects.filter(table="governance_user", key=str(cast.owner.pk)).latest("pk")
    assert newest.pk > entry.pk
    told = json.loads(bytes(newest.body.body))
    del told["secrets"]
    # As PostgreSQL writes it: json_build_object puts a blank around each colon.
    body = bytes(newest.body.body)
    rewrite(newest, body[: body.index(b', "secrets"')] + b"}")
    (one,) = verification.verify().findings
    assert (one.table, one.key, one.field) == ("governance_user", str(cast.owner.pk), "password")


def test_rows_that_have_no_digest_yet_are_not_compared(cast):
    for entry in Entry.objects.filter(table="governance_user").select_related("body"):
        body = bytes(entry.body.body)
        rewrite(entry, body[: body.index(b', "secrets"')] + b"}")
    tamper("UPDATE governance_user SET password = 'other'", table="governance_user")
    assert verification.verify().ok


def test_neither_hash_nor_digest_is_handed_out(cast, tmp_path):
    row, _ = factories.make_key(cast, factories.make_mvp(cast))
    hashes = [row.secret_hash, *User.objects.values_list("password", flat=True)]
    assert ServiceKey.objects.get(pk=row.pk).secret_hash == row.secret_hash
    entries = "\n".join(
        bytes(body).decode() for body in Entry.objects.rows().values_list("body__body", flat=True)
    )
    assert not [one for one in hashes if one in entries or json.dumps(one)[1:-1] in entries]
    told = list(subject_access._entries(cast.owner, personal_data.words_of(cast.owner)))
    assert "governance_user" in {one["table"] for one in told}
    assert "secrets" not in json.dumps(told)


# Guards


def test_a_guard_that_is_off_or_gone_is_named(cast):
    assert verification.verify().ok
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE initiatives_signoff DISABLE TRIGGER duties_are_separate")
        cursor.execute("DROP TRIGGER append_only ON initiatives_signoff")
    report = verification.verify()
    assert {one.place for one in report.findings} == {"guard"}
    words = "\n".join(one.words for one in report.findings)
    assert "duties_are_separate" in words
    assert "append_only" in words


def test_a_guard_whose_function_was_replaced_is_named(cast):
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE OR REPLACE FUNCTION plumbline_guard_stage() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN RETURN NEW; END'"
        )
    assert "plumbline_guard_stage" in "\n".join(one.words for one in verification.verify().findings)
