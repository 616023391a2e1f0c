"""Interactions are kept once, encrypted before they touch a file, sealed by batch, and gone with their key."""

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from governance import clock
from governance.interaction_log import bodies, keys, loading, reading
from governance.interaction_log.intake import interactions
from governance.interaction_log.shape import Interaction as Report
from governance.interaction_log.shape import Kind, Message, ToolCall
from governance.models import Entry, Interaction, InteractionBatch, InteractionKey
from governance.offline.verify import commitment, leaf_hash, root_from_inclusion

pytestmark = pytest.mark.django_db

SECRET = "my mother's maiden name is Ueltschi"


def report(number=1, **fields):
    """A call of a model with a span of its own."""
    told = Report(
        Kind.CALL,
        operation="chat",
        model="m-1",
        version="m-1-2026",
        input=(Message("user", SECRET),),
        output=(Message("assistant", "Two years."),),
        subject="customer 4",
        conversation="c-1",
        trace_id="a" * 32,
        span_id=f"{number:016x}",
        started=clock.now() - timedelta(seconds=number),
        attributes={"till": number},
    )
    return replace(told, **fields)


def keep(*reports, initiative=1):
    """Keep reports and have the worker bring them over; how many rows came."""
    before = Interaction.objects.count()
    interactions.keep(
        list(reports), initiative=initiative, key=None, decision_of=lambda text: None, now=clock.now()
    )
    interactions.bring_over()
    loading.loader.bring_orphans(interactions._folder)
    return Interaction.objects.count() - before


def destroy(name):
    """Destroy every key of somebody (as the system calls them); how many."""
    return keys.destroy(
        InteractionKey.objects.filter(holder=keys.pseudonym("subject", name)).values_list("pk", flat=True)
    )


def files():
    """Every file of the log."""
    return [path for path in settings.INTERACTIONS_DIR.rglob("*") if path.is_file()]


def test_what_was_sent_is_read_again_and_stands_in_no_file_in_clear():
    sent = report()
    interactions.keep([sent], initiative=1, key=None, decision_of=lambda text: None, now=clock.now())
    spooled = [path.read_bytes() for path in files()]
    assert len(spooled) == 1
    interactions.bring_over()
    assert loading.loader.bring_orphans(interactions._folder) == 1
    (row,) = Interaction.objects.all()
    opened = reading.opened(row)
    assert (opened.report, opened.wrong) == (sent, "")
    assert (row.model, row.version, row.kind, row.odd_clock) == ("m-1", "m-1-2026", "call", False)
    for content in [*spooled, *(path.read_bytes() for path in files())]:
        assert b"Ueltschi" not in content
        assert b"customer 4" not in content
    with connection.cursor() as cursor:
        cursor.execute("SELECT i::text FROM governance_interaction i")
        assert "customer" not in cursor.fetchone()[0]
        cursor.execute("SELECT content || wrapped FROM governance_interactionbody")
        (content,) = cursor.fetchone()
        assert b"Ueltschi" not in bytes(content)
        assert b"customer 4" not in bytes(content)


@pytest.mark.parametrize(
    ("fields", "row"),
    [
        ({}, ("chat", True, True)),
        ({"action": "summarise"}, ("summarise", True, True)),
        ({"input": (), "output": ()}, ("chat", False, False)),
        ({"output": (), "error": "timeout"}, ("chat", True, True)),
        (
            {
                "kind": Kind.TOOL,
                "input": (),
                "output": (),
                "tool": ToolCall("make_refund", "{}", result="ok"),
            },
            ("make_refund", True, True),
        ),
        (
            {"kind": Kind.TOOL, "input": (), "output": (), "tool": ToolCall("Mail to anna@example.org")},
            ("Mail_to_anna_example.org", False, False),
        ),
        ({"kind": Kind.TOOL, "tool": ToolCall("x" * 300)}, ("x" * 100, True, True)),
        ({"kind": Kind.WRAPPER}, ("", True, True)),
    ],
)
def test_a_row_has_what_the_sender_calls_the_act_and_whether_it_says_what_went_in_and_out(fields, row):
    keep(report(**fields))
    kept = Interaction.objects.get()
    assert (kept.action, kept.has_input, kept.has_output) == row


def test_a_file_that_waited_through_the_update_still_comes_over():
    interactions.keep([report()], initiative=1, key=None, decision_of=lambda text: None, now=clock.now())
    interactions.bring_over()
    (path,) = interactions._folder.glob("*.jsonl")
    line = json.loads(path.read_bytes())
    for name in ("action", "has_input", "has_output"):
        del line[name]
    path.write_bytes(json.dumps(line).encode() + b"\n")
    assert loading.loader.bring(path) == 1
    kept = Interaction.objects.get()
    assert (kept.action, kept.has_input, kept.has_output) == ("", False, False)


def test_a_call_is_kept_once_within_its_initiative_however_it_is_sent_again():
    assert keep(report(1), report(2), report(1)) == 2
    assert keep(report(1), report(3)) == 1
    assert keep(report(1), initiative=2) == 1
    late = replace(report(9), kind=Kind.EVENTS)
    assert keep(late) == 1
    assert keep(late) == 0


def test_a_file_that_is_found_again_is_loaded_once(tmp_path):
    interactions.keep([report()], initiative=1, key=None, decision_of=lambda text: None, now=clock.now())
    interactions.bring_over()
    (path,) = interactions._folder.glob("*.jsonl")
    content = path.read_bytes()
    assert loading.loader.bring(path) == 1
    path.write_bytes(content)
    loading.loader.bring(path)
    assert Interaction.objects.count() == InteractionBatch.objects.count() == 1
    assert not path.exists()


def test_the_span_and_events_that_come_apart_are_one_interaction():
    span = report(input=(), output=())
    keep(span)
    keep(report(kind=Kind.EVENTS, output=(Message("assistant", "Two years."),)))
    row = Interaction.objects.get(kind="call")
    opened = reading.opened(row)
    assert opened.report.output == (Message("assistant", "Two years."),)
    assert len(opened.parts) == 2
    shown, more = reading.page(1, reading.Wanted())
    assert ([one.pk for one in shown], more) == ([row.pk], None)


@pytest.mark.parametrize(
    ("started", "odd"),
    [
        (timedelta(minutes=4), False),
        (timedelta(minutes=6), True),
        (-timedelta(days=729), False),
        (-timedelta(days=731), True),
        (None, True),
    ],
)
def test_a_clock_that_cannot_be_right_is_kept_and_marked(started, odd):
    now = clock.now()
    moment = now + started if started is not None else None
    sent = report(started=moment)
    keep(sent)
    (row,) = Interaction.objects.all()
    assert row.odd_clock is odd
    assert reading.opened(row).report.started == moment, "what was said is kept"
    if odd:
        assert abs(row.at - now) < timedelta(minutes=1)


def test_one_entry_commits_to_a_batch_and_one_interaction_is_shown_by_its_path():
    keep(*(report(number) for number in range(1, 8)))
    (batch,) = InteractionBatch.objects.all()
    assert Entry.objects.filter(table="governance_interactionbatch", key=str(batch.pk)).count() == 1
    assert loading.broken(batch) == ""
    for row in Interaction.objects.select_related("batch"):
        out = reading.handed_out(row)
        digest = commitment(bytes.fromhex(out["salt"]), out["body"].encode())
        assert digest.hex() == out["digest"]
        path = [bytes.fromhex(one) for one in out["path"]]
        assert root_from_inclusion(out["place"], 7, leaf_hash(digest), path).hex() == batch.root
        assert json.loads(out["body"])["report"]["input"][0]["text"] == SECRET


def test_rows_are_never_changed_and_a_change_by_the_owner_is_found():
    keep(report(1), report(2))
    (batch,) = InteractionBatch.objects.all()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE governance_interaction SET model = 'other'")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE governance_interaction DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM governance_interaction WHERE place = 1")
    assert "but 2 were written" in loading.broken(batch)


def test_a_body_that_was_changed_is_not_shown():
    keep(report())
    (row,) = Interaction.objects.select_related("batch")
    content = bytearray(reading.kept_of([row])[row.pk].content)
    content[20] ^= 1
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE governance_interactionbody DISABLE TRIGGER USER")
        cursor.execute("UPDATE governance_interactionbody SET content = %s", [bytes(content)])
    opened = reading.opened(row)
    assert opened.report is None
    assert "was changed after it was encrypted" in opened.wrong


def test_what_is_under_a_destroyed_key_is_gone_and_the_rest_and_the_seal_stay():
    keep(report(1), report(2, subject="customer 5"), report(3, subject="", conversation="c-9"))
    holder = keys.pseudonym("subject", "customer 4")
    assert destroy("customer 4") == 1
    gone, *_ = Interaction.objects.filter(subject=holder).select_related("batch")
    assert reading.opened(gone).report is None
    assert reading.handed_out(gone) is None
    others = Interaction.objects.exclude(subject=holder) | Interaction.objects.filter(subject=None)
    assert [reading.opened(row).report is not None for row in others.distinct()] == [True, True]
    assert loading.broken(gone.batch) == ""
    with pytest.raises(DatabaseError), transaction.atomic():
        InteractionKey.objects.filter(holder=holder).update(wrapped=b"x", destroyed_at=None)
    assert keep(report(4)) == 1, "who comes again has a new key"
    assert reading.opened(Interaction.objects.order_by("id").last()).report is not None


def test_a_host_without_a_worker_brings_its_reports_over_itself_after_a_minute(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr("governance.queue.spooled_log.time.monotonic", lambda: now[0])

    def sent(number):
        said = [report(number)]
        interactions.keep(said, initiative=1, key=None, decision_of=lambda text: None, now=clock.now())
        interactions.tend()
        return Interaction.objects.count()

    assert sent(1) == 1, "what an ended process left is brought over at once"
    assert sent(2) == 1, "within the minute a worker of the same host may take it"
    now[0] += 61
    assert sent(3) == 3
    assert not list(interactions._folder.iterdir())


def test_a_backup_of_the_database_opens_nothing_once_its_master_is_destroyed(settings, tmp_path):
    # Alone: another test made masters of months to come.
    settings.INTERACTION_KEYS_DIR = tmp_path / "keys"
    keep(report())
    (row,) = InteractionKey.objects.all()
    backup, old = bytes(row.wrapped), row.master
    keys.destroy([row.pk])
    assert bodies.unwrapped(backup, keys.master(old)), "until then a backup and the master together open it"
    keep(report(2))
    year, month = (int(part) for part in old.split("-"))
    following = date(year + month // 12, month % 12 + 1, 1)
    count, gone = keys.change_master(today=following + timedelta(days=35), backup_days=35)
    assert (count, gone) == (1, [])
    count, gone = keys.change_master(today=following + timedelta(days=36), backup_days=35)
    assert gone == [old]
    with pytest.raises(keys.NoMaster):
        keys.master(old)
    assert reading.opened(Interaction.objects.order_by("id").last()).report is not None, "what stands goes on"
    for name in keys.masters():
        with pytest.raises(bodies.Unreadable):
            bodies.unwrapped(backup, keys.master(name))


def test_people_are_found_by_what_the_sender_calls_them_and_pages_go_on_where_they_ended(monkeypatch):
    monkeypatch.setattr(reading, "PAGE", 2)
    keep(*(report(number, subject=f"customer {number % 2}") for number in range(1, 6)))
    found, more = reading.page(1, reading.Wanted(subject="customer 1"))
    assert (len(found), more is not None) == (2, True)
    rest, more = reading.page(1, reading.Wanted(subject="customer 1"), more)
    assert (len(rest), more) == (1, None)
    assert reading.page(1, reading.Wanted(subject="customer 9"))[0] == []
    assert len(reading.page(1, reading.Wanted(model="m-1-2026"))[0]) == 2
    assert reading.page(1, reading.Wanted(decided="yes"))[0] == []


def test_a_host_with_keys_of_its_own_says_so(settings, tmp_path):
    assert keys.condition() == "ok"
    keep(report())
    assert keys.condition() == "ok"
    settings.INTERACTION_KEYS_DIR = tmp_path / "of another host"
    keys.forget_read()
    assert keys.condition().startswith(
        "this host cannot open the newest key of interactions. Share the folder"
    )
    keys.current()
    assert keys.condition().startswith("this host cannot open"), "a master of its own opens nothing"
    keys.forget_read()
