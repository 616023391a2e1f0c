"""Erasing what the audit log holds about a person: what goes, what is kept, what is told, and who may not."""

import base64
import json
from datetime import timedelta

import psycopg
import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction

from adoption.demo import artefacts
from governance import clock
from governance.audit_log import entries
from governance.database.row_history import acting
from governance.models import Entry, EntryBody, Notification, SignatureProof, SignInAttempt, Unit, User
from governance.people import permissions as people_permissions
from governance.permission_result import Refused
from governance.privacy import erasure, erasure_log, erasure_replay, personal_data, retention
from governance.transparency_log import sealing, verification
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import Answer, Evidence, SignOff
from initiatives.portfolio.units import leaving
from tests.support import factories
from tests.support.attacks.unguarded_writes import unguarded

NAME, LOGIN, MAIL = "Dana Whitfield", "dana.whitfield", "dana.whitfield@example.org"


@pytest.fixture(autouse=True)
def log(monkeypatch, tmp_path):
    """Where the log of erasures lies: every test has its own."""
    path = tmp_path / "erasures.jsonl"
    monkeypatch.setattr(erasure_log, "log_path", lambda: path)
    return path


@pytest.fixture
def dana(cast) -> User:
    """Somebody of the team, who will ask to be forgotten."""
    return factories.make_person(LOGIN, cast.unit, full_name=NAME)


def busy(cast, person: User):
    """An initiative on which the person acted and others named her."""
    initiative = factories.make_initiative(cast)
    role_actions.propose_role(initiative=initiative, role="support_owner", person=person, by=cast.owner)
    role_actions.accept_role(assignment=initiative.roles.open().get(person=person), by=person)
    requirement_actions.answer(
        initiative=initiative,
        requirement="mvp.users",
        kind="answered",
        text=f"Ten, says {NAME.upper()}; ask her",
        by=cast.owner,
    )
    SignInAttempt(login=LOGIN).save()
    return initiative


def forget(cast, person: User, **options) -> erasure.Done:
    """Deactivate the account and erase."""
    if User.objects.get(pk=person.pk).is_active:
        leaving.deactivate(person=person, reason="Left", by=cast.admin)
    person = User.objects.get(pk=person.pk)
    said = {"why": "She asked for it", "duty": "GDPR, Article 17", "by": cast.admin} | options
    return erasure.erase(person=person, **said)


def traces(*words: str) -> dict[str, int]:
    """By table, the rows with one of the words in any column that can hold it, whatever its type."""
    found = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, array_agg(column_name::text), array_agg(data_type::text)"
            " FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)"
            " WHERE table_schema = 'public' AND table_type = 'BASE TABLE' GROUP BY 1"
        )
        for table, columns, types in cursor.fetchall():
            texts = [
                f"encode(\"{name}\", 'escape')" if kind == "bytea" else f'"{name}"::text'
                for name, kind in zip(columns, types, strict=True)
            ]
            cursor.execute(
                f"SELECT count(*) FROM {table} WHERE concat_ws(' ', {', '.join(texts)}) ~* %s",
                ["|".join(word.replace(".", r"\.") for word in words)],
            )
            if (count := cursor.fetchone()[0]) > 0:
                found[table] = count
    return found


def verified() -> verification.Report:
    """Seal what is there and derive everything again."""
    sealing.seal()
    report = verification.verify()
    assert report.findings == []
    return report


@pytest.mark.django_db
def test_nothing_is_left_of_a_person_and_the_audit_log_verifies(cast, dana):
    initiative = busy(cast, dana)
    before = Entry.objects.count()
    done = forget(cast, dana)
    assert (traces(NAME, LOGIN), done.left, done.kept) == ({}, {}, [])
    report = verified()
    assert report.erased == done.entries > 10
    person = User.objects.get(pk=dana.pk)
    assert (person.full_name, person.login, person.email) == (
        f"erased person {dana.pk}",
        f"erased-person-{dana.pk}",
        "",
    )
    assert Entry.objects.count() > before
    assert Answer.objects.get(initiative=initiative, requirement="mvp.users").text == (
        f"Ten, says erased person {dana.pk}; ask her"
    )


@pytest.mark.django_db
def signed_at_a_provider(person: User) -> SignatureProof:
    """A proof whose token names its person, as tokens do: encoded."""
    said = {"id_token": base64.urlsafe_b64encode(json.dumps({"name": person.full_name}).encode()).decode()}
    row = SignatureProof(
        person=person,
        act="role",
        strength="identity provider",
        statement="signer: person",
        salt="c2FsdA",
        digest="d" * 64,
        digests=["d" * 64],
        nonce="bm9uY2U",
        evidence=said,
        shown_at=clock.now(),
        at=clock.now(),
    )
    with acting(by=person):
        row.save()
    return row


def test_a_token_and_random_bytes_of_a_signature_go_with_the_person(cast, dana):
    mine, other = signed_at_a_provider(dana), signed_at_a_provider(cast.owner)
    digest = (
        Entry.objects.rows().get(table="governance_signatureproof", key=str(mine.pk), operation="+").digest
    )
    forget(cast, dana)
    mine.refresh_from_db()
    assert (mine.statement, mine.salt, mine.nonce, mine.evidence) == ("", "", "erased", {"erased": True})
    assert mine.digest == "d" * 64
    entry = Entry.objects.rows().get(table="governance_signatureproof", key=str(mine.pk), operation="+")
    assert (bytes(EntryBody.objects.get(entry=entry).body), entry.digest) == (b"", digest)
    other.refresh_from_db()
    assert other.evidence["id_token"]
    verified()


def test_an_act_tells_what_went_and_the_pages_say_so(cast, dana, as_):
    initiative = busy(cast, dana)
    done = forget(cast, dana)
    act = Entry.objects.get(pk=done.act)
    facts = act.facts["facts"]
    assert (act.kind, act.actor_id, len(facts["entries"])) == ("erased", cast.admin.pk, done.entries)
    assert (facts["person_id"], facts["duty"], facts["why"]) == (
        dana.pk,
        "GDPR, Article 17",
        "She asked for it",
    )
    day = f"{clock.today().day} {clock.today():%B %Y}"
    said = f"Erased on {day} by Per Dahl: She asked for it (GDPR, Article 17)."
    gone = Entry.objects.acts().of_initiative(initiative.ref).filter(actor_id=dana.pk).first()
    assert (bytes(gone.body.body), bytes(gone.body.salt)) == (b"", b"")
    assert erasure_log.words_for(erasure_log.without_words([gone, act])) == {gone.pk: said}
    for client, address in (
        (as_(cast.owner), f"/initiatives/{initiative.ref}/activity/"),
        (as_(cast.auditor), f"/audit/entries/{gone.pk}/"),
        (as_(cast.auditor), f"/audit/?initiative={initiative.ref}"),
    ):
        page = client.get(address, follow=True)
        assert page.status_code == 200, address
        assert said in page.content.decode(), address
        assert NAME not in page.content.decode(), address


@pytest.mark.django_db
def test_what_she_decided_is_kept_until_retention_ends_and_all_else_goes(cast):
    initiative = factories.make_prototype(cast)
    signer = SignOff.objects.first().person
    done = forget(cast, signer)
    assert done.entries > 0
    assert [(row["why"], row["from"]) for row in done.kept] == [
        (f"The row is part of the decision record on {initiative.ref}. {initiative.ref} has not ended.", None)
    ]
    assert done.left.keys() <= {
        "governance_entry", "initiatives_signoff", "initiatives_review", "initiatives_historicalreview"
    }  # fmt: skip
    kinds = set(Entry.objects.filter(pk__in=_naming(signer)).values_list("kind", "table"))
    assert kinds <= {(kind, "") for kind in ("signed off", "review approved", "stage changed")} | {
        ("row", table) for table in ("initiatives_signoff", "initiatives_stagechange", "initiatives_review")
    }
    assert signer.full_name in SignOff.objects.get(person=signer).statement
    assert User.objects.get(pk=signer.pk).full_name == f"erased person {signer.pk}"
    verified()


def _naming(person: User) -> list[int]:
    return [row.id for row in personal_data.entries_about(personal_data.Words((person.full_name,)), person)]


@pytest.mark.django_db
def test_the_day_from_which_it_can_go_is_told_and_kept_to(cast, settings):
    settings.RETENTION_DAYS = 731
    initiative = factories.make_prototype(cast)
    stage_actions.stop(initiative=initiative, reason_code="no_value", reason="No use", by=cast.owner)
    ended = clock.today()
    signer = SignOff.objects.first().person
    first = forget(cast, signer)
    assert [row["from"] for row in first.kept] == [(ended + timedelta(days=731)).isoformat()]
    with clock.simulated(clock.now() + timedelta(days=730)):
        assert forget(cast, signer).kept[0]["count"] == first.kept[0]["count"]
    with clock.simulated(clock.now() + timedelta(days=731)):
        last = forget(cast, signer)
    assert (last.kept, last.left) == ([], {})
    sign_off = SignOff.objects.get(person=signer)
    assert (sign_off.statement.count(f"erased person {signer.pk}") > 0, sign_off.digest) == (True, "")
    assert traces(signer.full_name) == {}
    verified()


@pytest.mark.django_db
def test_retention_gives_way_to_a_duty_that_an_admin_and_an_auditor_name_together(cast):
    factories.make_prototype(cast)
    override = erasure.Override("Order of the court of 3 May", cast.auditor)
    signer = SignOff.objects.first().person
    done = forget(cast, signer, override=override)
    assert (done.kept, done.left, traces(signer.full_name)) == ([], {}, {})
    assert Entry.objects.get(pk=done.act).facts["facts"]["override"] == {
        "duty": "Order of the court of 3 May",
        "auditor": "Mei Tan",
    }
    verified()


@pytest.mark.django_db
def test_that_something_was_erased_is_never_erased(cast, dana):
    forget(cast, dana)
    leaving.deactivate(person=cast.admin, reason="Left", by=cast.second_admin)
    admin = User.objects.get(pk=cast.admin.pk)
    said = {"why": "Asked", "duty": "GDPR", "by": cast.second_admin}
    done = erasure.erase(person=admin, **said)
    assert {"why": "The row records what was erased.", "from": None, "count": 1} in done.kept
    verified()


# --- Who may, and what stops it --------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_who_may_not_erase_is_told_why(cast, dana):
    gone = leaving.deactivate(person=factories.make_person("gone.before"), reason="Left", by=cast.admin)
    for change, words in (
        ({"by": cast.auditor}, "Only admins can erase"),
        ({"person": dana}, "is active"),
        ({"person": cast.admin}, "your own data"),
        ({"override": erasure.Override("Court", cast.owner)}, "agreement of an auditor"),
        ({"override": erasure.Override(" ", cast.auditor)}, "a named legal duty"),
    ):
        asked = {"person": gone, "why": "Asked", "duty": "GDPR", "by": cast.admin} | change
        with pytest.raises(Refused, match=words):
            erasure.erase(**asked)
    both = User(pk=cast.admin.pk, is_active=True, is_admin=True, is_auditor=True)
    alone = people_permissions.may_erase(gone, override=erasure.Override("Court", both), by=both)
    assert "Two different people must agree" in str(alone)
    assert not EntryBody.objects.filter(body=b"").exists()


@pytest.mark.django_db
def test_no_reason_that_stays_may_name_the_person(cast, dana):
    text = f"Request of {NAME.lower()}"
    for named in ({"why": text}, {"duty": text}, {"override": erasure.Override(text, cast.auditor)}):
        with pytest.raises(ValidationError, match="without the person's name"):
            forget(cast, dana, **named)
    with pytest.raises(ValidationError, match="the legal duty"):
        forget(cast, dana, duty=" ")


@pytest.mark.django_db
def test_a_legal_hold_on_the_person_stops_all_and_one_on_a_initiative_what_belongs_to_it(cast, dana):
    initiative = busy(cast, dana)
    other = factories.make_initiative(cast, title="Another")
    role_actions.propose_role(initiative=other, role="support_owner", person=dana, by=cast.owner)
    hold = retention.open_hold(person=dana, reason="A claim", by=cast.auditor)
    with pytest.raises(Refused, match="Legal hold"):
        forget(cast, dana, override=erasure.Override("Court", cast.auditor))
    retention.lift_hold(hold=hold, reason="Ended", by=cast.admin)
    retention.open_hold(initiative_ref=initiative.ref, reason="An inquiry", by=cast.admin)
    done = forget(cast, dana, override=erasure.Override("Court", cast.auditor))
    assert {row["why"] for row in done.kept} == {f"A legal hold covers {initiative.ref}."}
    left = Entry.objects.filter(
        pk__in=[row.id for row in personal_data.entries_about(personal_data.Words((NAME,)), dana)]
    )
    assert set(left.values_list("initiative_ref", flat=True)) == {initiative.ref}
    assert NAME.upper() in Answer.objects.get(initiative=initiative, requirement="mvp.users").text
    verified()


# --- Named evidence, mails
# ---------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_named_evidence_loses_file_and_title_wherever_the_same_file_stands(
    cast, dana, django_capture_on_commit_callbacks
):
    initiative, title = busy(cast, dana), "Interview with the support owner"
    items = [
        evidence_actions.add_evidence(
            initiative=initiative,
            kind="document",
            title=title,
            observed_on=clock.today(),
            covers=["mvp.users"],
            file=artefacts.pdf(title),
            by=cast.owner,
        )
        for _ in range(2)
    ]
    file, sha256 = items[0].file.name, items[0].sha256
    assert Evidence._meta.get_field("file").storage.exists(file)
    with django_capture_on_commit_callbacks(execute=True):
        done = forget(cast, dana, evidence=[items[0].pk])
    assert done.files == 1
    assert not Evidence._meta.get_field("file").storage.exists(file)
    for item in Evidence.objects.filter(pk__in=[row.pk for row in items]):
        assert (item.title, item.file.name, item.sha256, item.missing_since is None) == (
            "erased",
            "",
            "",
            False,
        )
    assert traces(title, sha256) == {}
    verified()


@pytest.mark.django_db
def test_evidence_that_somebody_signed_on_is_kept(cast, dana):
    initiative = factories.make_prototype(cast)
    signed = SignOff.objects.filter(review__initiative=initiative).first().covered_evidence[0]
    done = forget(cast, dana, evidence=[signed])
    assert [row["why"] for row in done.kept] == [
        f"The row is part of the decision record on {initiative.ref}. {initiative.ref} has not ended."
    ]
    assert Evidence.objects.get(pk=signed).title != "erased"
    with pytest.raises(ValidationError, match=r"Item 999999 does not exist\."):
        forget(cast, dana, evidence=[999999])


@pytest.mark.django_db
def test_notifications_mails_and_sessions_go(
    cast, dana, settings, tmp_path, as_, django_capture_on_commit_callbacks
):
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    (tmp_path / "mail").mkdir()
    as_(dana)
    with mail.get_connection() as box:  # one file for all of them
        for person, text in ((dana, "Yours"), (cast.owner, f"Ask {NAME}"), (cast.owner, "Nothing of hers")):
            Notification(
                person=person, kind="k", object_key=text, period="p", subject=text, created_at=clock.now()
            ).save()
            for n in range(2):
                mail.EmailMessage(f"{text} {n}", "Grüße", to=[person.email], connection=box).send()
    hers = tmp_path / "mail" / "hers.log"
    hers.write_text(f"Subject: Hello\nTo: {MAIL}\n\nText\n{'-' * 79}\n")
    assert len(personal_data.mailbox()) == 2
    with django_capture_on_commit_callbacks(execute=True):
        done = forget(cast, dana)
    assert done.removed["governance.Notification"] == 1
    assert not dana.sessions.exists()
    assert set(Notification.objects.values_list("subject", flat=True)) >= {
        f"Ask erased person {dana.pk}",
        "Nothing of hers",
    }
    assert not hers.exists()
    assert [path.read_text().count("Subject: ") for path in personal_data.mailbox()] == [2]
    assert [path.read_text().count("Subject: Nothing of hers") for path in personal_data.mailbox()] == [2]


# --- After a restore --------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_erasure_is_done_again_on_a_database_from_before_it(cast, dana):
    initiative = busy(cast, dana)
    both = f"Ten, say {cast.lead.full_name}, {NAME} and {cast.lead.full_name}"
    requirement_actions.answer(
        initiative=initiative, requirement="mvp.users", kind="answered", text=both, by=cast.owner
    )
    for person in (dana, cast.lead):
        leaving.deactivate(person=person, reason="Left", by=cast.admin)
    before = transaction.savepoint()
    done = forget(cast, dana)
    forget(cast, cast.lead)
    log = [json.dumps(line) for line in erasure_log.lines()]
    after = _state(cast)
    assert not any(
        word in line for line in log for word in (NAME, "Dana", "dana", "Ravi", "Per Dahl", "She asked")
    )
    transaction.savepoint_rollback(before)
    assert traces(NAME)
    assert erasure_replay.replay(log) == 2
    assert (traces(NAME, LOGIN, cast.lead.full_name), _state(cast)) == ({}, after)
    again = Entry.objects.filter(kind="erased").first().facts
    assert (again["actor"]["name"], again["facts"]["again"]["act"]) == ("system: restore", done.act)
    assert initiative.ref in Entry.objects.filter(pk__in=again["facts"]["entries"]).values_list(
        "initiative_ref", flat=True
    )
    verified()


def _state(cast) -> list:
    """What stands of people and answers, and how many bodies are empty."""
    return [
        list(User.objects.order_by("pk").values_list("pk", "full_name", "login", "email")),
        list(Answer.objects.order_by("pk").values_list("pk", "text")),
        list(
            Answer.history.filter(history_type="+")
            .order_by("history_id")
            .values_list("history_user_name", "text")
        ),
        EntryBody.objects.filter(body=b"").count(),
    ]


@pytest.mark.django_db
def test_a_replay_touches_nothing_that_it_did_not_erase(cast, dana):
    busy(cast, dana)
    before = transaction.savepoint()
    forget(cast, dana)
    line = next(erasure_log.lines())
    assert erasure_replay.replay([json.dumps(line)]) == 0  # this database knows it
    transaction.savepoint_rollback(before)
    line["entries"] = [[key, "00" * 32] for key, _ in line["entries"]]  # other entries under these numbers
    told = Notification.objects.create(
        person=dana, kind="k", object_key="o", period="p", subject="Of somebody else", created_at=clock.now()
    )
    assert erasure_replay.replay([json.dumps(line)]) == 0
    assert Notification.objects.filter(pk=told.pk).exists(), "the key of the person is somebody else's here"
    assert not EntryBody.objects.filter(body=b"").exists()
    assert User.objects.get(pk=dana.pk).full_name == NAME
    verified()


@pytest.mark.django_db
def test_the_log_is_completed_from_the_audit_log(cast, dana, tmp_path):
    path = tmp_path / "erasures.jsonl"
    forget(cast, dana)
    assert (erasure_log.write_log(path), erasure_log.write_log(path)) == (1, 0)
    assert path.stat().st_mode & 0o077 == 0
    assert [json.loads(line)["person"] for line in path.read_text().splitlines()] == [dana.pk]


# --- Words -----------------------------------------------------------------------------------------------------------


def test_a_name_is_found_whole_in_any_case_and_spacing():
    words = personal_data.Words(("Dana Whitfield", "dana.w"))
    text = 'DANA  whitfield, Dana Whitfields, dana.w, dana.wx, "dana\\nwhitfield"'
    assert [text[start:end] for start, end in words.spans(text)] == [
        "DANA  whitfield",
        "dana.w",
        "dana\\nwhitfield",
    ]
    assert personal_data.masked("Dana Whitfield!", [[0, 14]], "erased person 7", 10) == "erased per"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "written", ["Zoë ÅNGSTRÖM", "zoë ångström", "Zoe\u0308 A\u030angstro\u0308m", 'Ann "Zoë Ångström" Lee']
)
def test_the_database_finds_what_python_finds(cast, written):
    words = personal_data.Words(("Zoë Ångström",))
    with acting(by=cast.admin, reason="A unit"):
        Unit(name=written, code="named").save()
        entries.record("unit added", unit="named")
    table = {"governance_unit": [personal_data.Column("name", False, 120)]}
    assert [row.texts for row in personal_data.mentions(words, table)] == [{"name": written}]
    assert {row.table for row in personal_data.entries_about(words, cast.outsider)} == {"governance_unit"}


def test_an_ordinary_word_is_a_name_only_where_a_name_stands():
    words = personal_data.Words((), ("Sam",), ("owner",))
    said = '{"login": "owner", "owner": "sam the same", "name": "Sam", "login":"owners"}'
    assert [said[start:end] for start, end in words.spans(said)] == ["owner", "Sam"]
    assert not words.name("owner")
    assert words.spans("owner", "login") == [[0, 5]]
    assert words.name("Sam")
    assert not words.name("Sam went home")


@pytest.mark.django_db
def test_former_names_and_addresses_are_searched_for_too(cast, dana):
    with unguarded("governance_user"), acting(by=cast.admin, reason="Married"):
        dana.full_name, dana.email = "Dana Obi", "dana.obi@example.org"
        dana.save()
    assert set(personal_data.words_of(dana, ["Danny W"]).terms) == {
        NAME, LOGIN, MAIL, "Dana Obi", "dana.obi@example.org", "Danny W",
    }  # fmt: skip


# --- Attacks ---------------------------------------------------------------------------------------------------------

ATTACKS = [
    "SELECT plumbline_erase('{}', ARRAY[1]::bigint[], '[]')",
    "SELECT plumbline_enter_again('governance_unit', '1', NULL, '{}')",
    "UPDATE governance_entrybody SET body = '', salt = ''",
    "ALTER TABLE governance_entrybody DISABLE TRIGGER USER",
    "ALTER TABLE governance_entrybody DISABLE TRIGGER append_only",
    "SET session_replication_role = replica",
    "SET ROLE pg_write_all_data",
    "GRANT EXECUTE ON FUNCTION plumbline_erase(bytea, bigint[], jsonb) TO CURRENT_USER",
    "CREATE OR REPLACE FUNCTION plumbline_erase(told bytea, entries bigint[], changes jsonb) RETURNS bigint"
    " LANGUAGE sql AS 'SELECT 1::bigint'",
    "BEGIN; LOCK TABLE governance_entry IN SHARE ROW EXCLUSIVE MODE",
    "UPDATE governance_historicaluser SET history_user_name = 'erased'",
    "DELETE FROM governance_historicaluser",
    "SET plumbline.erasing = 'on'; UPDATE governance_entrybody SET body = ''",
]


@pytest.mark.django_db(transaction=True)
def test_the_application_cannot_erase_but_is_waited_for(application, monkeypatch, log):
    person = factories.make_person("anybody")
    before = list(EntryBody.objects.order_by("pk").values_list("pk", "body", "salt"))
    for attack in ATTACKS:
        with pytest.raises(psycopg.Error) as refusal:
            application.execute(attack)
        application.rollback()
        assert isinstance(refusal.value, psycopg.errors.InsufficientPrivilege), attack
    # Functions and tables of its own, under the names that ours call, are not found by them.
    with pytest.raises(psycopg.Error):
        application.execute(
            "CREATE FUNCTION pg_temp.plumbline_act(place text) RETURNS json LANGUAGE sql AS 'SELECT NULL::json';"
            " SELECT public.plumbline_erase('{}', ARRAY[1]::bigint[], '[]')"
        )
    assert list(EntryBody.objects.order_by("pk").values_list("pk", "body", "salt")) == before
    assert User.objects.get(pk=person.pk).login == "anybody"
    # Whoever writes at that moment is waited for, and not for ever.
    monkeypatch.setattr(erasure, "LOCK_SECONDS", 1)
    admin = factories.make_person("boss", is_admin=True)
    gone = leaving.deactivate(person=person, reason="Left", by=admin)
    said = {"person": gone, "why": "Asked", "duty": "GDPR", "by": admin}
    application.execute("BEGIN; UPDATE governance_notification SET subject = subject")
    with pytest.raises(Refused, match="Other people are saving"):
        erasure.erase(**said)
    application.rollback()
    assert erasure.erase(**said).left == {}
    erasure_log.give_space_back(["governance_user"])
    assert json.loads(log.read_text())["person"] == person.pk  # written once the erasure was committed


def erase_raw(erased: list[int], changes: list = (), named: list[int] | None = None, kind: str = "erased"):
    """Call the function as the owner, past the rules of the application."""
    body = {
        "kind": kind,
        "actor": {"name": "system: test"},
        "facts": {"entries": erased if named is None else named},
    }
    with transaction.atomic(), acting(system="test", reason="Attack"), connection.cursor() as cursor:
        cursor.execute(
            "SELECT plumbline_erase(%s, %s::bigint[], %s::jsonb)",
            [entries.canonical(body), erased, json.dumps(list(changes))],
        )


@pytest.mark.django_db
def test_even_the_owner_erases_nothing_without_saying_what(cast, dana):
    entry = Entry.objects.acts().first()
    for told in (
        lambda: erase_raw([entry.pk], named=[]),
        lambda: erase_raw([entry.pk], named=[entry.pk, entry.pk + 1]),
        lambda: erase_raw([entry.pk], kind="tidied"),
        lambda: erase_raw([10**9]),
        lambda: erase_raw([], [{"table": "governance_leaf", "key": "0", "set": {"hash": ""}}]),
        lambda: erase_raw([], [{"table": "governance_entry", "key": "1", "set": {"kind": ""}}]),
        lambda: erase_raw([], [{"table": "pg_authid", "key": "10", "set": {"rolname": "x"}}]),
        lambda: erase_raw([], [{"table": "governance_user", "key": "-1", "set": {"login": "x"}}]),
        lambda: EntryBody.objects.filter(pk=entry.pk).update(body=b"", salt=b""),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            told()
    assert bytes(EntryBody.objects.get(pk=entry.pk).body)
    forget(cast, dana)
    act = Entry.objects.get(kind="erased")
    with pytest.raises(DatabaseError, match="is not erased"), transaction.atomic():
        erase_raw([act.pk])


@pytest.mark.django_db
def test_every_trigger_stands_as_it_did_before(cast, dana):
    busy(cast, dana)
    connection.check_constraints()  # nothing is pending on the table any more
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE governance_unit DISABLE TRIGGER never_emptied")
        before = _triggers(cursor)
        forget(cast, dana)
        assert _triggers(cursor) == before
    with pytest.raises(DatabaseError), transaction.atomic():
        EntryBody.objects.update(body=b"")
    with pytest.raises(DatabaseError), transaction.atomic():
        _past_the_audit_log()


def _past_the_audit_log() -> None:
    Unit.objects.update(name="Past the audit log")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def _triggers(cursor) -> list[tuple]:
    cursor.execute("SELECT tgrelid::regclass::text, tgname, tgenabled FROM pg_trigger ORDER BY 1, 2")
    return cursor.fetchall()
