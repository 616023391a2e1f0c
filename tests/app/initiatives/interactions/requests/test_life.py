"""The life of a request: who handles it, what is kept of the person, deadlines, refusals, holds, what is left."""

import json
from datetime import date, timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from governance import clock
from governance.database.row_history import acting
from governance.interaction_log import keys, reading
from governance.interaction_log.shape import Kind, Message, ToolCall
from governance.interaction_retention import holds, subject_erasure
from governance.models import Entry, Interaction, InteractionKey
from governance.permission_result import Conflict, Refused
from governance.privacy import retention
from initiatives.interactions import actions as log_actions
from initiatives.interactions.permissions import may_read_interactions
from initiatives.interactions.requests import (
    actions,
    copies,
    erasing,
    hits,
    inbox,
    searches,
    secrets,
)
from initiatives.interactions.selections import actions as selection_actions
from initiatives.models import RequestSecret, SubjectErasure, SubjectHit, SubjectRequest
from tests.app.governance.interaction_log.test_kept import keep, report
from tests.app.initiatives.interactions.selections.test_selecting import said
from tests.support import factories
from tests.support.attacks.unguarded_writes import unguarded

pytestmark = pytest.mark.django_db

NAME, PERSON = "Petra Aebischer", "customer 4"
HOW = "Called back on the number on file"


def made_officer(cast, person):
    with unguarded("governance_user"), acting(by=cast.admin, reason="Answers requests"):
        person.is_privacy_officer = True
        person.save()
    return person


@pytest.fixture
def officer(cast, initiative):
    """Made after the initiative, which is laid down from a snapshot only upon the cast."""
    return made_officer(cast, cast.outsider)


@pytest.fixture
def other(cast):
    return made_officer(cast, cast.sponsor)


def received(by, **changes) -> SubjectRequest:
    fields = {
        "kind": "both",
        "channel": "mail",
        "received_on": clock.today(),
        "name": NAME,
        "contact": "petra@example.org",
        "identifiers": [PERSON],
    }
    return actions.receive(by=by, **(fields | changes))


def identified(by, **changes) -> SubjectRequest:
    return actions.check_identity(request=received(by, **changes), how=HOW, by=by)


def searched(by, **changes) -> SubjectRequest:
    row = identified(by, **changes)
    searches.search(request=row, by=by)
    row.refresh_from_db()
    return row


def judged(row, by, belongs=True) -> None:
    for hit in row.hits.filter(belongs__isnull=True):
        hits.judge(hit=hit, belongs=belongs, by=by)


def erased(row, by) -> SubjectErasure:
    return erasing.erase(request=row, duty="GDPR, Article 17", by=by)


# --- Who may ----------------------------------------------------------------------------------------------------------


def test_only_privacy_officers_handle_requests_and_only_the_handler_works_on_one(
    cast, officer, other, initiative
):
    for person in (cast.admin, cast.auditor, cast.owner, cast.chair):
        with pytest.raises(Refused, match="Only privacy officers"):
            received(person)
    row = received(officer)
    for person in (other, cast.admin):
        with pytest.raises(Refused):
            actions.check_identity(request=row, how=HOW, by=person)
        with pytest.raises(Refused):
            actions.open_person(request=row, by=person)
    actions.take_over(request=row, why="The other one is away", by=other)
    with pytest.raises(Conflict, match="already handle this request"):
        actions.take_over(request=row, why="Again", by=other)
    with pytest.raises(Refused, match="handles this request"):
        actions.check_identity(request=row, how=HOW, by=officer)
    assert actions.check_identity(request=row, how=HOW, by=other).identified_by == other


def test_a_privacy_officer_reads_the_log_of_every_initiative_and_no_evidence(cast, officer, initiative, as_):
    assert may_read_interactions(initiative, officer)
    with unguarded("governance_user"), acting(by=cast.admin, reason="No longer"):
        officer.is_privacy_officer = False
        officer.save()
    assert not may_read_interactions(initiative, officer)


def test_nothing_is_found_or_read_before_the_identity_is_checked(cast, officer, initiative):
    keep(report(1), initiative=initiative.number)
    row = received(officer)
    for step in (
        lambda: searches.search(request=row, by=officer),
        lambda: copies.make_copy(request=row, by=officer),
        lambda: erased(row, officer),
        lambda: searches.search_text(
            request=row,
            text="money",
            initiatives=[initiative],
            first=clock.today(),
            last=clock.today(),
            by=officer,
        ),
    ):
        with pytest.raises(Refused, match="identity of the person is not checked"):
            step()
    row.searched_by, row.searched_at = officer, clock.now()
    with pytest.raises(IntegrityError), transaction.atomic(), acting(system="test", reason="Past the act"):
        row.save()


# --- What is kept of the person ---------------------------------------------------------------------------------------


def test_who_asks_stands_in_no_row_in_clear_and_goes_with_its_key(cast, officer, initiative):
    row = received(officer, words=f"{NAME} wants to know")
    assert secrets.person_of(row).name == NAME
    (sealed,) = RequestSecret.objects.all()
    for word in (NAME, PERSON, "petra@"):
        assert word.encode() not in bytes(sealed.content)
    with connection.cursor() as cursor:
        for table in ("initiatives_subjectrequest", "initiatives_historicalsubjectrequest"):
            cursor.execute(f"SELECT t::text FROM {table} t")
            assert NAME not in str(cursor.fetchall())
    actions.answer(request=row, outcome="refused", words="Excessive", legal_basis="GDPR 12(5)", by=officer)
    actions.close(request=row, by=officer)
    content, wrapped = bytes(sealed.content), bytes(sealed.wrapped)
    with time_machine.travel(clock.now() + timedelta(days=29)):
        actions.forget_what_is_over()
        assert secrets.person_of(row) is not None
    with time_machine.travel(clock.now() + timedelta(days=31)):
        actions.forget_what_is_over()
        actions.forget_what_is_over()
        assert secrets.person_of(row) is None
        assert not RequestSecret.objects.exists()
        # A copy of the row that somebody kept opens no more: its key is destroyed.
        RequestSecret(request=row, content=content, wrapped=wrapped).save()
        assert secrets.person_of(row) is None
        assert InteractionKey.objects.get(initiative_number=0).wrapped is None
    assert Entry.objects.filter(kind="request of a person forgotten").count() == 1


def test_the_master_changes_over_what_is_kept(cast, officer, initiative):
    row = received(officer)
    later = clock.today() + timedelta(days=40)
    keys.change_master(today=later, backup_days=35)
    assert secrets.person_of(row).name == NAME


def test_what_does_not_fit_is_said_by_field(cast, officer):
    for changes, field in (
        ({"name": " "}, "name"),
        ({"contact": ""}, "contact"),
        ({"identifiers": [" "]}, "identifiers"),
        ({"identifiers": [f"c{n}" for n in range(21)]}, "identifiers"),
        ({"received_on": lambda: clock.today() + timedelta(days=1)}, "received_on"),
        ({"kind": "all"}, "kind"),
        ({"channel": "owl"}, "channel"),
    ):
        with pytest.raises(ValidationError) as wrong:
            received(officer, **{name: one() if callable(one) else one for name, one in changes.items()})
        assert list(wrong.value.message_dict) == [field]


def test_no_word_that_stays_names_the_person(cast, officer, other):
    row = received(officer)
    for step in (
        lambda: actions.check_identity(request=row, how=f"{NAME.upper()} came by", by=officer),
        lambda: actions.extend(request=row, why=f"{PERSON} asked much", by=officer),
        lambda: actions.take_over(request=row, why="petra@example.org wrote to me", by=other),
        lambda: actions.answer(
            request=row, outcome="refused", words=f"Told {NAME}", legal_basis="x", by=officer
        ),
    ):
        with pytest.raises(ValidationError, match="Do not name the person"):
            step()


# --- Deadlines --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "months", "due"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
    ],
)
def test_a_month_ends_on_the_same_day_or_the_last_of_a_shorter_one(day, months, due):
    assert actions.months_after(day, months) == due


def test_it_is_extended_once_within_the_month_and_reminded_of(cast, officer):
    row = received(officer)
    first = row.due_on
    assert [line.due for line in inbox.tasks(officer)] == [first]
    assert list(inbox.tasks(cast.admin)) == []
    assert list(inbox.subject_requests(clock.now())) == []
    noon = clock.midnight_before(first) + timedelta(hours=12)
    with time_machine.travel(noon):
        (due,) = inbox.subject_requests(clock.now())
        assert (due.person, due.period, due.due_on) == (officer, "0d", first)
        row = actions.extend(request=row, why="Eleven initiatives", by=officer)
        assert row.due_on == actions.months_after(row.received_on, 3)
        with pytest.raises(Conflict, match="already extended"):
            actions.extend(request=row, why="More", by=officer)
        assert list(inbox.subject_requests(clock.now())) == []
    with time_machine.travel(clock.midnight_before(row.due_on) + timedelta(hours=36)):
        told = {(due.person.login, due.kind) for due in inbox.subject_requests(clock.now())}
        assert told == {
            (officer.login, inbox.KIND),
            (cast.admin.login, inbox.OVERDUE),
            (cast.second_admin.login, inbox.OVERDUE),
        }
        for due in inbox.subject_requests(clock.now()):
            assert NAME not in due.subject + due.text
        late = received(officer, received_on=clock.today() - timedelta(days=62))
        with pytest.raises(Refused, match="The month for an extension is over"):
            actions.extend(request=late, why="Too late", by=officer)
        actions.answer(
            request=row, outcome="refused", words="Excessive", legal_basis="GDPR 12(5)", by=officer
        )
        told = list(inbox.subject_requests(clock.now()))
        assert all(due.link == late.get_absolute_url() for due in told)
    answered = Entry.objects.get(kind="request of a person answered").facts["facts"]
    assert answered["late"] is True


# --- What is found ----------------------------------------------------------------------------------------------------


def test_by_pseudonym_what_belongs_to_their_calls_comes_along_once(cast, officer, initiative):
    another = factories.make_mvp(cast, title="Another")
    keep(
        report(1),
        report(2, subject="", kind=Kind.TOOL, tool=ToolCall("look up", "their number")),
        report(3, subject="", conversation="c-9"),
        initiative=initiative.number,
    )
    keep(report(1, kind=Kind.EVENTS, subject="", conversation=""), initiative=initiative.number)
    keep(report(1), initiative=another.number)
    row = searched(officer)
    assert row.hits.count() == 3
    assert {hit.initiative for hit in row.hits.all()} == {initiative, another}
    assert searches.search(request=row, by=officer) == (3, 0)
    only = searched(officer, initiatives=[another])
    assert [hit.initiative for hit in only.hits.all()] == [another]


def test_texts_are_looked_for_one_initiative_after_the_other_and_the_phrase_stays_nowhere(
    cast, officer, initiative
):
    another = factories.make_mvp(cast, title="Another")
    for one in (initiative, another):
        keep(said(1, "Petra  AEBISCHER called", subject="", conversation="c-3"), initiative=one.number)
    row = identified(officer)
    asked = {"first": clock.today() - timedelta(days=2), "last": clock.today(), "by": officer}
    with pytest.raises(ValidationError):
        searches.search_text(request=row, text="Pe", initiatives=[], **asked)
    searches.search_text(request=row, text=NAME, initiatives=[initiative, another], **asked)
    for _ in range(4):
        searches.go_on()
        under_way = list(selection_actions.InteractionSelection.objects.filter(state="waiting"))
        assert len(under_way) <= 1, "one at a time for each person"
        for selection in under_way:
            selection_actions.look(selection.pk)
    assert [(one.found, one.trouble) for one in row.text_searches.all()] == [(1, ""), (1, "")]
    assert {(hit.way, hit.initiative) for hit in row.hits.all()} == {("text", initiative), ("text", another)}
    for entry in Entry.objects.all():
        assert "aebischer" not in json.dumps(entry.facts, ensure_ascii=False).casefold()


def test_a_text_waits_for_another_selection_of_the_same_person_and_ends_with_the_answer(
    cast, officer, initiative
):
    row = identified(officer)
    today = clock.today()
    selection_actions.select(
        initiative=initiative,
        purpose="Quality",
        first=today,
        last=today,
        until=today + timedelta(days=3),
        by=officer,
    )
    searches.search_text(
        request=row, text=NAME, initiatives=[initiative], first=today, last=today, by=officer
    )
    searches.go_on()
    (one,) = row.text_searches.all()
    assert one.selection is None
    with pytest.raises(Conflict, match="A text search is still running"):
        actions.answer(request=row, outcome="nothing", words="Nothing", by=officer)
    actions.answer(request=row, outcome="refused", words="Excessive", legal_basis="GDPR 12(5)", by=officer)
    selection_actions.look(initiative.interaction_selections.get().pk)
    searches.go_on()
    one.refresh_from_db()
    assert "ended before" in one.trouble


# --- Third persons ----------------------------------------------------------------------------------------------------


@pytest.fixture
def hit(cast, officer, initiative):
    keep(
        report(
            1,
            input=(Message("user", "Hans and  HANS Muster; Hansel"),),
            output=(Message("assistant", "", tool_calls=(ToolCall("mail", '{"to": "Hans Muster"}'),)),),
        ),
        initiative=initiative.number,
    )
    return searched(officer, kind="access").hits.get()


def test_passages_are_offsets_and_the_body_stays(officer, hit):
    before = reading.opened(hits.row_of(hit)).report
    row = hits.black_out(hit=hit, words="hans muster", by=officer)
    assert row.passages == [["input.0.text", 10, 21], ["output.0.tool_calls.0.arguments", 8, 19]]
    plain = hits.blacked(before, row.passages)
    assert plain["input"][0]["text"] == "Hans and  █████; Hansel"
    assert plain["output"][0]["tool_calls"][0]["arguments"] == '{"to": "█████"}'
    assert "attributes" not in plain
    row = hits.black_out(hit=hit, words="and  HANS\nHansel", by=officer)
    assert hits.blacked(before, row.passages)["input"][0]["text"] == "Hans ██████████; █████"
    row = hits.show_again(hit=hit, place="input.0.text", start=10, by=officer)
    assert len(row.passages) == 3
    with pytest.raises(Conflict):
        hits.show_again(hit=hit, place="input.0.text", start=10, by=officer)
    with pytest.raises(ValidationError, match="is not in this interaction"):
        hits.black_out(hit=hit, words="Muster Hans", by=officer)
    assert reading.opened(hits.row_of(hit)).report == before
    for kept in SubjectHit.history.all():
        assert "hans" not in str(kept.passages).casefold()


def test_what_is_blacked_out_in_one_and_clear_in_another_is_looked_at_again(cast, officer, initiative, hit):
    keep(report(2, input=(Message("user", "Tell hans muster that I moved"),)), initiative=initiative.number)
    row = hit.request
    searches.search(request=row, by=officer)
    hits.black_out(hit=hit, words="Hans Muster", by=officer)
    judged(row, officer)
    with pytest.raises(Conflict, match="are readable in the interaction"):
        copies.make_copy(request=row, by=officer)
    export = copies.make_copy(request=row, despite=True, by=officer)
    with pytest.raises(Conflict, match="copy with the earlier judgements"):
        hits.judge(hit=hit, belongs=False, by=officer)
    copies.revoke_copy(export=export, by=officer)
    with pytest.raises(Conflict, match="is missing"):
        copies.take_copy(export=export, by=officer)


def test_the_file_of_a_copy_is_encrypted_for_the_handler_alone_and_goes_after_its_days(
    cast, officer, other, hit
):
    row = hit.request
    judged(row, officer)
    export = copies.make_copy(request=row, by=officer)
    with pytest.raises(Conflict, match="already has a copy"):
        copies.make_copy(request=row, by=officer)
    assert bytes(RequestSecret.objects.get(export=export).content)[:2] != b"PK"
    for person in (other, cast.admin, cast.auditor):
        with pytest.raises(Refused):
            copies.take_copy(export=export, by=person)
    assert copies.take_copy(export=export, by=officer)[:2] == b"PK"
    with time_machine.travel(export.until + timedelta(minutes=1)):
        with pytest.raises(Conflict, match="is missing"):
            copies.take_copy(export=export, by=officer)
        actions.forget_what_is_over()
        assert not RequestSecret.objects.filter(export=export).exists()
    assert Entry.objects.filter(kind="copy for a person revoked").count() == 1


# --- Erasing ----------------------------------------------------------------------------------------------------------


def test_a_hold_on_an_initiative_or_the_person_leaves_everything(cast, officer, initiative):
    keep(report(1), report(2, subject=cast.owner.email, conversation="c-7"), initiative=initiative.number)
    row = searched(officer, kind="erasure", identifiers=[PERSON, cast.owner.email])
    judged(row, officer)
    for of in ({"initiative_ref": initiative.ref}, {"person": cast.owner}):
        hold = retention.open_hold(reason="A claim", by=cast.auditor, **of)
        with pytest.raises(Refused, match=r"[Ll]egal hold"):
            erased(row, officer)
        assert subject_erasure.tries(Interaction.objects.select_related("batch")) == (2, 2)
        assert not SubjectErasure.objects.exists()
        retention.lift_hold(hold=hold, reason="Ended", by=cast.auditor)
    assert erased(row, officer).unopened == 2
    assert not holds.held_initiatives()


def test_what_was_found_by_text_goes_where_its_key_is_its_own_and_is_left_where_others_share_it(
    cast, officer, initiative
):
    keep(
        said(1, f"{NAME} called", subject="", conversation="c-3"),
        said(2, f"{NAME} is my neighbour", subject="customer 5", conversation="c-5"),
        said(3, "My own affair", subject="customer 5", conversation="c-5"),
        initiative=initiative.number,
    )
    row = identified(officer, kind="erasure")
    today = clock.today()
    searches.search_text(
        request=row,
        text=NAME,
        initiatives=[initiative],
        first=today - timedelta(days=1),
        last=today,
        by=officer,
    )
    searches.go_on()
    selection_actions.look(initiative.interaction_selections.get().pk)
    searches.go_on()
    with pytest.raises(Conflict, match="judged"):
        erased(row, officer)
    judged(row, officer)
    erasure = erased(row, officer)
    assert (erasure.tried, erasure.unopened, erasure.left) == (1, 1, 1)
    opens = [
        bool(reading.bodies_of([one])[0])
        for one in Interaction.objects.order_by("-at").select_related("batch")
    ]
    assert opens == [False, True, True]
    with pytest.raises(Conflict, match="already erased"):
        erased(row, officer)


def test_what_was_judged_to_be_of_another_is_not_erased_under_the_same_words(cast, officer, initiative):
    keep(report(1), report(2), initiative=initiative.number)
    row = searched(officer, kind="erasure")
    first, second = row.hits.all()
    hits.judge(hit=first, belongs=True, by=officer)
    hits.judge(hit=second, belongs=False, by=officer)
    with pytest.raises(Conflict, match="of other people have the same names"):
        erased(row, officer)
    assert subject_erasure.tries(Interaction.objects.select_related("batch")) == (2, 2)


def test_a_body_that_still_opens_ends_it_with_nothing_erased(cast, officer, initiative, monkeypatch):
    keep(report(1), initiative=initiative.number)
    row = searched(officer, kind="erasure")
    judged(row, officer)
    monkeypatch.setattr(keys, "destroy", lambda rows: len(list(rows)))
    with pytest.raises(Conflict, match="could still be read"):
        erased(row, officer)
    assert not SubjectErasure.objects.exists()
    assert not Entry.objects.filter(kind="erased for a request of a person").exists()


def test_erased_before_and_erased_again_for_another_request(cast, officer, initiative):
    keep(report(1), initiative=initiative.number)
    log_actions.erase_subject(
        initiative=initiative, subject=PERSON, everywhere=True, why="Asked for", duty="GDPR 17", by=cast.admin
    )
    row = searched(officer, kind="erasure")
    judged(row, officer)
    erasure = erased(row, officer)
    assert (erasure.keys, erasure.tried, erasure.unopened) == (0, 1, 1)
    assert erasing.tried_now(row) == (1, 0)


# --- The answer -------------------------------------------------------------------------------------------------------


def test_an_answer_says_only_what_was_done(cast, officer, initiative):
    keep(report(1), initiative=initiative.number)
    row = identified(officer)
    for outcome in ("met", "nothing"):
        with pytest.raises(Conflict, match="The log was not searched"):
            actions.answer(request=row, outcome=outcome, words="Done", by=officer)
    searches.search(request=row, by=officer)
    with pytest.raises(Conflict, match="not judged"):
        actions.answer(request=row, outcome="met", words="Done", by=officer)
    judged(row, officer)
    with pytest.raises(Conflict, match="belong to the person"):
        actions.answer(request=row, outcome="nothing", words="Done", by=officer)
    with pytest.raises(Conflict, match="No one has downloaded the copy"):
        actions.answer(request=row, outcome="met", words="Done", by=officer)
    for outcome in ("partly", "refused"):
        with pytest.raises(ValidationError) as wrong:
            actions.answer(request=row, outcome=outcome, words="No", by=officer)
        assert list(wrong.value.message_dict) == ["legal_basis"]
    with pytest.raises(Conflict, match="not answered"):
        actions.close(request=row, by=officer)
    actions.answer(request=row, outcome="partly", words="A copy later", legal_basis="GDPR 15(4)", by=officer)
    with pytest.raises(Refused, match="answered already"):
        searches.search(request=row, by=officer)
    assert actions.close(request=row, by=officer).state == "closed"


def test_of_nobody_nothing_is_held(cast, officer, initiative):
    row = searched(officer, identifiers=["customer 44"])
    assert row.hits.count() == 0
    assert actions.answer(request=row, outcome="nothing", words="Nothing", by=officer).outcome == "nothing"
