"""Witnesses: another organisation cosigns what continues what it saw, and its refusals are shown to admins."""

import http.client
import re

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from governance import tasks as governance_tasks
from governance.audit_log import entries
from governance.database.row_history import acting
from governance.models import Checkpoint, Cosignature
from governance.notifications.inbox import tasks_for
from governance.offline import verify
from governance.runtime import outgoing_request
from governance.transparency_log import sealing, signing_keys, verification, witnesses
from governance.vocabulary.entry_kinds import EntryKind
from tests.support.database.many_entries import make_entries
from tests.support.database.tampering import tamper, undone
from tests.support.servers.witness import Call, Witness

ORIGIN = "plumbline.invalid/test"


@pytest.fixture(autouse=True)
def witness(db, settings):
    """A witness that knows this log, and that the settings name."""
    settings.SIGNING_KEY, settings.ORIGIN, settings.FORMER_KEYS = bytes(range(32)), ORIGIN, []
    with Witness() as witness:
        witness.trust(ORIGIN, str(signing_keys.signer(ORIGIN).vkey))
        settings.WITNESSES = [named(witness)]
        yield witness


def named(witness):
    return witness.url, verify.parse_key(witness.vkey, (verify.COSIGNATURE,))


def grown(entries=1):
    make_entries(entries)
    return sealing.seal()


def refused() -> str:
    """What the one witness that did not cosign is said to have done."""
    with pytest.raises(ExceptionGroup) as raised:
        governance_tasks.cosign_audit_log()
    (why,) = raised.value.exceptions
    return str(why)


def told(person) -> list[str]:
    return [line.text for line in tasks_for(person) if "witness" in line.text]


def later_by_a_day():
    tamper("UPDATE governance_checkpoint SET at = at - interval '25 hours'", table="governance_checkpoint")


# --- Asking -------------------------------------------------------------------------------------------------


def test_a_witness_cosigns_the_first_checkpoint_and_each_growth(witness):
    assert witnesses.cosign() is None  # there is no checkpoint yet
    for count in (1, 2, 4, 300, 1):
        checkpoint = grown(count)
        governance_tasks.cosign_audit_log()
    assert witness.asked == [(0, 1, 200), (1, 3, 200), (3, 7, 200), (7, 307, 200), (307, 308, 200)]
    body = verify.parse_note(checkpoint.note).body
    assert Cosignature.objects.latest("pk").line == witness.cosigned(body)
    assert witnesses.cosigned_note(checkpoint) == checkpoint.note + witness.cosigned(body)
    governance_tasks.cosign_audit_log()
    assert len(witness.asked) == 5, "nothing is new"


def test_a_witness_that_knows_more_or_less_than_is_recorded_here_is_asked_from_its_size(witness):
    grown(3)
    with undone():
        witnesses.cosign()
    second = grown(2)
    witnesses.cosign()
    assert witness.asked[-2:] == [(0, 5, 409), (3, 5, 200)]
    witness.seen.clear()
    grown(2)
    witnesses.cosign()
    assert witness.asked[-2:] == [(5, 7, 409), (0, 7, 200)]
    assert Cosignature.objects.filter(checkpoint=second).count() == 1


def test_a_witness_at_the_newest_size_cosigns_again_what_was_lost_here(witness):
    grown(3)
    with undone():
        witnesses.cosign()
    witnesses.cosign()
    assert witness.asked[-2:] == [(0, 3, 409), (3, 3, 200)]
    assert Cosignature.objects.count() == 1


def test_each_witness_is_asked_although_another_is_away(witness, settings):
    with Witness("witness.invalid/w2", bytes(range(9, 41))) as other:
        other.trust(ORIGIN, str(signing_keys.signer(ORIGIN).vkey))
        settings.WITNESSES = [*settings.WITNESSES, named(other)]
        witness.away = True
        grown()
        assert refused().startswith("The witness witness.invalid/w1 does not answer (")
        assert Cosignature.objects.get().witness == other.vkey
        witness.away = False
        governance_tasks.cosign_audit_log()
        note = witnesses.cosigned_note(sealing.newest())
        lines = verify.split_note(note)[1]
    assert [line.name for line in lines] == [ORIGIN, other.name, witness.name]


def test_sealing_waits_for_no_witness(witness, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "governance.runtime.outgoing_request.ask", lambda *args, **options: asked.append(args)
    )
    make_entries(1)
    governance_tasks.seal_audit_log(wait=True)
    assert (Checkpoint.objects.count(), asked) == (1, [])


@pytest.mark.parametrize(
    ("status", "change", "words"),
    [
        (404, lambda witness: witness.logs.clear(), "does not know this audit log (404). Give it the key "),
        (
            403,
            lambda witness: witness.trust(ORIGIN, f"{ORIGIN}+00000000+{'A' * 44}"),
            "does not know the key of this audit log (403). Give it the key ",
        ),
    ],
)
def test_a_witness_that_does_not_know_the_log_is_named(witness, status, change, words):
    change(witness)
    grown()
    said = refused()
    assert words in said
    assert said.endswith(f"{signing_keys.signer(ORIGIN).vkey}.")
    assert [asked[2] for asked in witness.asked] == [status]
    assert not Cosignature.objects.exists()


def another_note(witness):
    return lambda line: witness.cosigned(b"another note\n")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (another_note, "gave no valid cosignature: The cosignature of witness.invalid/w1 is wrong."),
        (lambda witness: lambda line: line.replace("/w1", "/w2"), "signed with another key"),
        (
            lambda witness: lambda line: line[:-1],
            "gave no valid cosignature: The format of the note is wrong",
        ),
        (lambda witness: lambda line: "", "signed with another key"),
        (lambda witness: lambda line: "x" * (witnesses.LONGEST + 1), "does not answer ("),
        (lambda witness: lambda line: "\n" + witness.cosigned(b"x\n"), "gave no valid cosignature"),
    ],
)
def test_what_is_no_cosignature_of_this_checkpoint_is_not_kept(witness, spoil, words):
    grown()
    witness.spoil = spoil(witness)
    assert words in refused()
    assert not Cosignature.objects.exists()


def test_lines_of_other_keys_beside_it_are_ignored(witness):
    grown()
    other = Witness("witness.invalid/w3", bytes(range(1, 33)))
    other.server.server_close()
    witness.spoil = lambda line: other.cosigned(b"whatever\n") + line
    governance_tasks.cosign_audit_log()
    assert Cosignature.objects.get().line.startswith("\u2014 witness.invalid/w1 ")


def test_a_redirect_is_not_followed(witness, monkeypatch):
    def moved(call):
        call.rfile.read(int(call.headers["Content-Length"]))
        call.send_response_only(307)
        call.send_header("Location", "https://elsewhere.invalid/add-checkpoint")
        call.send_header("Content-Length", "0")
        call.end_headers()

    monkeypatch.setattr(Call, "do_POST", moved)
    grown()
    assert "answers with status 307" in refused()


# --- A log that was rewritten -------------------------------------------------------------------------------


def test_a_database_that_was_put_back_is_refused_and_admins_are_told(witness, cast, as_):
    sealing.seal()
    witnesses.cosign()
    with undone():
        grown(50)
        witnesses.cosign()
    (size, _) = witness.seen[ORIGIN]
    grown(1)
    said = refused()
    assert said.startswith(f"The witness witness.invalid/w1 cosigned {size} entries, but this audit log has ")
    assert told(cast.admin) == ["A witness knows another audit log"]
    assert told(cast.owner) == []
    page = as_(cast.admin).get("/status/").content.decode()
    assert "A witness did not cosign." in page
    assert "Entries were removed, or an older backup was restored." in page
    grown(100)  # beyond what the witness saw, but not on top of it
    assert "cosigned another audit log" in refused()
    assert witness.asked[-1][2] == 422
    assert told(cast.admin) == ["A witness knows another audit log"]


def test_another_log_of_the_same_size_is_refused(witness, cast):
    sealing.seal()
    with undone():
        grown(1)
        witnesses.cosign()
    grown(1)
    assert "(409)" in refused()
    assert witness.asked[-1][0] == witness.asked[-1][1]
    assert told(cast.admin) == ["A witness knows another audit log"]


def test_the_words_of_one_witness_neither_hide_nor_fake_what_another_knows(
    witness, cast, settings, monkeypatch
):
    with Witness("witness.invalid/w2", bytes(range(9, 41))) as hostile:
        hostile.trust(ORIGIN, str(signing_keys.signer(ORIGIN).vkey))
        settings.WITNESSES = [named(hostile), *settings.WITNESSES]
        ask, says = outgoing_request.ask, ["Contradicted: it cosigned another audit log"]

        def answered(question, **options):
            if question.full_url.startswith(hostile.url):
                raise http.client.BadStatusLine(says[0])
            return ask(question, **options)

        monkeypatch.setattr(outgoing_request, "ask", answered)
        sealing.seal()
        refused()
        assert (witnesses.contradicted(), told(cast.admin)) == (False, [])
        says[0] = "x" * 5_000
        with undone():
            grown(1)
            with pytest.raises(ExceptionGroup):
                witnesses.cosign()
        grown(1)
        with pytest.raises(ExceptionGroup):
            governance_tasks.cosign_audit_log()
        assert told(cast.admin) == ["A witness knows another audit log"]
        assert witnesses.failure().startswith("The witness witness.invalid/w1 cosigned another audit log")
        settings.WITNESSES = settings.WITNESSES[:1]
        assert not witnesses.contradicted(), "it is no longer a witness"


# --- What is shown ------------------------------------------------------------------------------------------


def test_admins_are_told_after_a_day_and_no_longer_once_it_cosigned(witness, cast):
    sealing.seal()
    witness.away = True
    refused()
    assert told(cast.admin) == []
    later_by_a_day()
    assert told(cast.admin) == ["The witness witness.invalid/w1 does not cosign"]
    (line,) = [line for line in tasks_for(cast.admin) if "witness" in line.text]
    assert line.why.partition("witness. ")[2].startswith("The witness witness.invalid/w1 does not answer (")
    witness.away = False
    witnesses.cosign()
    assert told(cast.admin) == []


def test_pages_and_figures_show_what_was_cosigned(witness, cast, as_, settings, client):
    settings.METRICS_TOKEN = "a token that is long enough"
    grown(3)
    witnesses.cosign()
    size = sealing.newest().size
    page = as_(cast.owner).get("/audit-log/").content.decode()
    assert "Cosigned by witness.invalid/w1" in page
    assert witness.vkey in page
    file = as_(cast.owner).get("/audit-log/checkpoint/").content
    assert verify.split_cosigned(file)[1][0].name == witness.name
    assert re.search(rf'witness.invalid/w1</th>.*?<td class="num">{size}</td>',
                     as_(cast.admin).get("/status/").content.decode(), re.DOTALL)  # fmt: skip
    figures = client.get("/metrics", HTTP_AUTHORIZATION=f"Bearer {settings.METRICS_TOKEN}").content.decode()
    assert 'plumbline_cosignature_age_seconds{witness="witness.invalid/w1"}' in figures
    assert 'oldest_uncosigned_checkpoint_age_seconds{witness="witness.invalid/w1"} 0.0' in figures
    grown(1)
    later_by_a_day()
    figures = client.get("/metrics", HTTP_AUTHORIZATION=f"Bearer {settings.METRICS_TOKEN}").content.decode()
    waits = re.search(r'uncosigned_checkpoint_age_seconds{witness="witness.invalid/w1"} (\S+)', figures)
    assert float(waits[1]) > 24 * 3600


# --- Verified -----------------------------------------------------------------------------------------------


def acted(cast):
    """One more entry as the application writes it, sealed."""
    with acting(by=cast.admin, reason="A test"):
        entries.record(EntryKind.MAIL_TRIED_AGAIN, count=1)
    return sealing.seal()


def test_cosignatures_are_verified_and_counted(witness, cast, settings, capsys):
    for _ in range(2):
        size = acted(cast).size
        witnesses.cosign()
    acted(cast)
    found = {witness.vkey: (2, size)}
    report = verification.verify()
    assert (report.findings, report.cosigned, report.cosigned_by_unknown) == ([], found, {})
    settings.WITNESSES = []
    report = verification.verify()
    assert (report.findings, report.cosigned, report.cosigned_by_unknown) == ([], {}, found)
    call_command("verify_audit_log")
    said = capsys.readouterr().out
    assert (
        f"2 checkpoints are cosigned with the key {witness.vkey}, the last of size {size}. PLUMBLINE_W"
        in said
    )


@pytest.mark.parametrize(
    "change",
    [
        "SET line = replace(line, '/w1', '/w2')",
        "SET line = overlay(line placing 'AAAA' from 40)",
        "SET line = line || line",
        "SET line = ''",
        "SET witness = replace(witness, '/w1', '/w2')",
        "SET checkpoint_id = (SELECT max(id) FROM governance_checkpoint)",
    ],
)
def test_a_changed_line_is_found(witness, cast, change):
    acted(cast)
    witnesses.cosign()
    acted(cast)
    assert verification.verify().findings == []
    tamper(f"UPDATE governance_cosignature {change}", table="governance_cosignature")
    (found,) = verification.verify().findings
    assert (found.place, found.table, found.field) == ("cosignature", "governance_cosignature", "line")
    with pytest.raises(CommandError, match="the cosignature of the checkpoint of size"):
        call_command("verify_audit_log")


@pytest.mark.parametrize(
    "statement", ["UPDATE governance_cosignature SET line = ''", "DELETE FROM governance_cosignature"]
)
def test_the_database_refuses_a_change(witness, statement):
    grown(1)
    witnesses.cosign()
    with (
        pytest.raises(DatabaseError, match="keeps what was written"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
