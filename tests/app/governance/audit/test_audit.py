"""The auditor's inbox below its pages: searching, drawing, concluding, and who held what on a day."""

import hashlib
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as some

from adoption.demo import initiative_acts
from governance import clock
from governance.audit import audit_samples, rights_report
from governance.audit import search as audit_search
from governance.audit.search import Search
from governance.audit_log import entries
from governance.database import row_history
from governance.database.row_history import acting
from governance.models import Entry, Membership, SampledEntry
from governance.organisation import actions as organisation_actions
from governance.permission_result import Refused
from governance.transparency_log import sealing
from governance.vocabulary import BoardRole
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.portfolio.units import leaving
from tests.support import factories
from tests.support.attacks.unguarded_writes import unguarded
from tests.support.database.concurrent_connections import Ring
from tests.support.reported_stages import check_deferred


@pytest.fixture
def sealed(initiative):
    """The same, all of it under a checkpoint."""
    return sealing.seal()


def drawn(cast, **fields):
    """A sample of sign-offs, drawn by the auditor."""
    fields = {"size": 5, "seed": "agreed"} | fields
    search = fields.pop("search", Search(kind="signed off"))
    return audit_samples.draw_sample(
        name="Sign-offs", purpose="Yearly look", search=search, **fields, by=cast.auditor
    )


# --- The draw, by itself ---------------------------------------------------------------------------------------------


def population(*sizes):
    """(key, digest, gate, seat) for as many strata as there are sizes."""
    key = 0
    for number, size in enumerate(sizes):
        for _ in range(size):
            key += 1
            yield key, hashlib.sha256(str(key).encode()).digest(), "gate", f"seat {number}"


def test_the_draw_is_the_one_the_method_describes():
    # Worked out here from METHOD alone, without the code that is tested.
    rows = list(population(3, 9))
    order = sorted(rows, key=lambda row: hashlib.sha256(b"s" + row[1]).digest())
    first = [row[0] for row in order if row[3] == "seat 0"]
    second = [row[0] for row in order if row[3] == "seat 1"]
    # Of 4: one each, then to seat 1 (9/1 before 3/1), then to seat 1 (9/2 before 3/1).
    assert [key for key, _, _ in audit_search.draw(rows, seed="s", size=4).keys] == [first[0], *second[:3]]
    assert audit_search.draw(rows, seed="s", size=4).strata == (
        audit_search.Stratum("gate", "seat 0", 3, 1),
        audit_search.Stratum("gate", "seat 1", 9, 3),
    )


@given(
    sizes=some.lists(some.integers(1, 40), min_size=1, max_size=6),
    size=some.integers(1, 60),
    order=some.randoms(use_true_random=False),
)
def test_a_draw_does_not_depend_on_the_order_and_leaves_no_stratum_out(sizes, size, order):
    rows = list(population(*sizes))
    sample = audit_search.draw(rows, seed="one", size=size)
    order.shuffle(rows)
    assert audit_search.draw(rows, seed="one", size=size) == sample
    assert len({key for key, _, _ in sample.keys}) == len(sample.keys) == min(size, sum(sizes))
    assert sorted(stratum.found for stratum in sample.strata) == sorted(sizes)
    assert sum(stratum.drawn for stratum in sample.strata) == len(sample.keys)
    if size >= len(sizes):
        assert all(stratum.drawn for stratum in sample.strata)


def test_another_seed_draws_others():
    rows = list(population(200))
    assert audit_search.draw(rows, seed="a", size=10).keys != audit_search.draw(rows, seed="b", size=10).keys


# --- Searching -------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_each_field_of_a_search_narrows_it(cast, initiative):
    other = factories.make_initiative(cast, title="Another")
    everything = set(Entry.objects.values_list("pk", flat=True))

    def found(**fields):
        return {entry.pk for entry in Search(**({"what": "all"} | fields)).entries()}

    def by_hand(keep):
        return {entry.pk for entry in Entry.objects.select_related("body") if keep(entry)}

    assert found() == everything
    assert found(what="acts") == by_hand(lambda entry: not entry.table)
    assert found(what="rows") == by_hand(lambda entry: entry.table)
    assert found(kind="signed off") == by_hand(lambda entry: entry.kind == "signed off") != set()
    assert found(what="decisions") > found(kind="signed off")
    assert found(initiative=other.ref) == by_hand(lambda entry: entry.initiative_ref == other.ref) != set()
    assert found(who=str(cast.chair.pk)) == by_hand(lambda entry: entry.actor_id == cast.chair.pk) != set()
    assert found(who="system") == by_hand(lambda entry: entry.actor_id is None) != set()
    assert found(table="initiatives_answer") == by_hand(lambda entry: entry.table == "initiatives_answer")
    assert found(what="acts", text="account managers forty") == by_hand(
        lambda entry: not entry.table and "account managers forty" in bytes(entry.body.body).decode()
    )


@pytest.mark.django_db
def test_text_is_found_as_it_was_typed_whatever_json_made_of_it(cast):
    initiative = factories.make_initiative(cast, problem='She said "50 % of it\nis \\ wrong" and Größe.')
    for typed in ('said "50 % of it', "is \\ wrong", "größe", "50 % of it\nis"):
        found = Search(text=typed, kind="registered").entries()
        assert [entry.initiative_ref for entry in found] == [initiative.ref], typed
    assert not Search(text="50 X of", kind="registered").entries().exists()


@pytest.mark.django_db
def test_days_are_local_days_and_text_without_a_first_day_is_bounded(cast, settings):
    def at(*moment):
        with clock.simulated(datetime(*moment, tzinfo=UTC)), acting(by=cast.admin):
            return entries.record("looked", words="needle").pk

    # In summer, midnight in Berlin is 22:00 in UTC.
    settings.TIME_ZONE = "Europe/Berlin"
    late, early = at(2026, 6, 9, 21, 59), at(2026, 6, 9, 22, 1)
    day = datetime(2026, 6, 9).date()
    assert [entry.pk for entry in Search(kind="looked", until=day).entries()] == [late]
    assert [entry.pk for entry in Search(kind="looked", since=day + timedelta(days=1)).entries()] == [early]
    old = at(2024, 6, 9, 12)
    assert set(Search(kind="looked").entries().values_list("pk", flat=True)) == {old, late, early}
    assert old not in Search(kind="looked", text="needle").entries().values_list("pk", flat=True)
    assert old in Search(
        kind="looked", text="needle", since=datetime(2024, 1, 1).date()
    ).entries().values_list("pk", flat=True)


def test_a_search_survives_being_stored():
    search = Search(
        what="decisions",
        who="system",
        initiative="AI-0001",
        since=datetime(2026, 1, 1).date(),
        until=datetime(2026, 2, 1).date(),
        text="x",
        kinds=("a", "b"),
    )
    assert Search.of_stored(search.stored()) == search


@pytest.mark.django_db
def test_pages_by_key_show_everything_once_both_ways(cast, initiative):
    keys = list(Entry.objects.order_by("-pk").values_list("pk", flat=True))
    pages, before = [], None
    while True:
        page = audit_search.window(Entry.objects.all(), 40, before=before)
        pages.append([row.pk for row in page.rows])
        before = page.older
        if before is None:
            break
    assert list(chain(*pages)) == keys
    assert len(pages) > 2
    back = audit_search.window(Entry.objects.all(), 40, after=pages[1][0])
    assert [row.pk for row in back.rows] == pages[0]
    assert (back.newer, back.older) == (None, pages[0][-1])


@pytest.mark.django_db
def test_kinds_present_are_those_of_the_acts(cast, initiative):
    kinds = set(Entry.objects.acts().values_list("kind", flat=True))
    assert audit_search.kinds_present() == sorted(kinds)


# --- Samples ---------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_sample_is_stratified_kept_and_drawn_again_alike(cast, initiative, sealed):
    sign_offs = Entry.objects.filter(kind="signed off").select_related("body")
    strata = {(sign_off.facts["facts"]["gate"], sign_off.facts["facts"]["seat"]) for sign_off in sign_offs}
    sample = drawn(cast, size=len(strata))
    assert {(row.gate, row.seat) for row in sample.drawn.all()} == strata
    assert len(strata) > 4
    assert (sample.found, sample.bound) == (len(sign_offs), sealed.size)
    assert audit_samples.drawn_again(sample) == ([], [])
    again = drawn(cast, size=len(strata))
    assert list(again.drawn.values_list("entry_id")) == list(sample.drawn.values_list("entry_id"))
    for row in sample.drawn.select_related("entry__leaf"):
        assert row.position == row.entry.leaf.position < sample.bound


@pytest.mark.django_db
def test_what_is_sealed_later_changes_no_sample(cast, initiative, sealed):
    sample = drawn(cast, size=50)
    more = factories.make_initiative(cast, title="Later")
    initiative_acts.to_prototype(more, cast.team)
    assert audit_samples.drawn_again(sample) == ([], [])
    sealing.seal()
    assert audit_samples.drawn_again(sample) == ([], [])
    assert drawn(cast, size=50).found > sample.found


@pytest.mark.django_db
def test_a_draw_again_says_when_the_audit_log_moved(cast, initiative, sealed):
    sample = drawn(cast, size=50)
    gone = sample.drawn.first().entry_id
    check_deferred()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE governance_entry DISABLE TRIGGER USER")
        cursor.execute("UPDATE governance_entry SET kind = 'looked' WHERE id = %s", [gone])
    assert audit_samples.drawn_again(sample) == ([gone], [])


@pytest.mark.django_db
def test_a_sample_needs_a_checkpoint_a_right_and_something_found(cast, initiative):
    with pytest.raises(Refused, match="has no sealed entries yet"):
        drawn(cast)
    sealing.seal()
    with pytest.raises(ValidationError, match="finds no sealed entry"):
        drawn(cast, search=Search(kind="no such kind"))
    with pytest.raises(ValidationError, match="between 1 and 500"):
        drawn(cast, size=501)
    with pytest.raises(Refused, match="Only auditors"):
        audit_samples.draw_sample(name="x", purpose="x", search=Search(), size=1, by=cast.admin)
    assert len(drawn(cast, seed="").seed) == 32


@pytest.mark.django_db
def test_changes_of_rows_can_be_drawn_too(cast, initiative, sealed):
    sample = drawn(cast, search=Search(what="rows", table="initiatives_answer"), size=3)
    assert {row.entry.table for row in sample.drawn.select_related("entry")} == {"initiatives_answer"}
    assert sample.strata == [{"gate": "", "seat": "", "found": sample.found, "drawn": 3}]


@pytest.mark.django_db
def test_entries_are_concluded_with_words_then_the_sample_is_final(cast, initiative, sealed):
    sample = drawn(cast, size=2)
    one, two = sample.drawn.all()
    with pytest.raises(ValidationError, match="Give a reason"):
        audit_samples.conclude(drawn=one, conclusion="exception", words="  ", by=cast.auditor)
    with pytest.raises(ValidationError, match="conclusions listed"):
        audit_samples.conclude(drawn=one, conclusion="fine", by=cast.auditor)
    with pytest.raises(Refused, match="Only auditors"):
        audit_samples.conclude(drawn=one, conclusion="satisfied", by=cast.chair)
    audit_samples.conclude(drawn=one, conclusion="exception", words="Signed unread.", by=cast.auditor)
    with pytest.raises(Refused, match="1 of 2 entries has no conclusion"):
        audit_samples.finish(sample=sample, by=cast.auditor)
    audit_samples.conclude(drawn=two, conclusion="satisfied", notes="Read both.", by=cast.auditor)
    audit_samples.finish(sample=sample, by=cast.auditor)
    with pytest.raises(Refused, match="finished by Mei Tan"):
        audit_samples.conclude(drawn=one, conclusion="satisfied", by=cast.auditor)
    one.refresh_from_db()
    assert (one.conclusion, one.words, one.concluded_by) == ("exception", "Signed unread.", cast.auditor)
    told = Entry.objects.filter(actor_id=cast.auditor.pk).acts().select_related("body").order_by("pk")
    kinds = [(entry.kind, entry.facts["facts"].get("place")) for entry in told if entry.kind != "refused"]
    assert kinds == [
        ("sample drawn", None),
        ("entry concluded", one.place),
        ("entry concluded", two.place),
        ("sample finished", None),
    ]
    last = told.last().facts["facts"]
    assert (last["satisfied"], last["exception"], last["not_applicable"]) == (1, 1, 0)


@pytest.mark.django_db
def test_a_conclusion_can_be_taken_back_and_saving_nothing_new_is_no_act(cast, initiative, sealed):
    sample = drawn(cast, size=1)
    row = audit_samples.conclude(drawn=sample.drawn.get(), conclusion="satisfied", by=cast.auditor)
    before = Entry.objects.count()
    audit_samples.conclude(drawn=row, conclusion="satisfied", by=cast.auditor)
    assert Entry.objects.count() == before
    row = audit_samples.conclude(drawn=row, conclusion="", notes="Look again.", by=cast.auditor)
    assert (row.concluded_at, row.concluded_by, row.notes) == (None, None, "Look again.")


@pytest.mark.django_db
def test_the_database_keeps_conclusions_whole(cast, initiative, sealed):
    row = drawn(cast, size=1).drawn.get()
    wrong = [
        {"conclusion": "satisfied"},
        {"concluded_by": cast.auditor, "concluded_at": clock.now()},
        {"conclusion": "exception", "concluded_by": cast.auditor, "concluded_at": clock.now()},
    ]
    for fields in wrong:
        broken = SampledEntry.objects.get(pk=row.pk)
        for name, value in fields.items():
            setattr(broken, name, value)
        with pytest.raises(IntegrityError), transaction.atomic(), acting(by=cast.auditor):
            broken.save()


# --- Who held what ---------------------------------------------------------------------------------------------------

NOON = datetime(2030, 3, 1, 12, tzinfo=UTC)


def names(held):
    """Who, what and by whom."""
    return {(row.person, row.what, row.granted_by) for row in held}


@pytest.mark.django_db
def test_a_seat_is_shown_on_the_days_it_was_held_with_who_granted_it(cast):
    def seats(days):
        found = rights_report.held_at(NOON + timedelta(days=days), cast.sponsor)
        return [(row.what, row.where, row.granted_by, row.reason) for row in found if row.kind == "seat"]

    with clock.simulated(NOON):
        organisation_actions.appoint(
            board=cast.board,
            person=cast.sponsor,
            seat=BoardRole.CHAIR,
            ends_at=NOON + timedelta(days=20),
            reason="While she travels",
            by=cast.second_admin,
        )
    line = ("Chair", "Retail board", "Noor Aziz", "While she travels")
    assert (seats(-1), seats(10), seats(21)) == ([], [line], [])
    with (
        unguarded("governance_membership"),
        clock.simulated(NOON + timedelta(days=5)),
        acting(by=cast.admin, reason="She is back"),
    ):
        row = Membership.objects.get(person=cast.sponsor)
        row.ends_at = NOON + timedelta(days=5)
        row.save()
    # What was changed later does not change what was known then; who granted it stays who granted it.
    assert (seats(4), seats(6)) == ([line], [])


@pytest.mark.django_db
def test_names_are_those_of_the_day_and_leavers_hold_nothing(cast):
    with clock.simulated(NOON), acting(by=cast.admin, reason="Married"):
        cast.chair.full_name = "Elena Weiss"
        cast.chair.save()
    day = timedelta(days=1)
    assert ("Elena Novak", "Chair", "Per Dahl") in names(rights_report.held_at(NOON - day))
    assert ("Elena Weiss", "Chair", "Per Dahl") in names(rights_report.held_at(NOON + day))
    with clock.simulated(NOON + 2 * day):
        leaving.deactivate(person=cast.chair, reason="Left", by=cast.admin)
    assert names(rights_report.held_at(NOON + day, cast.chair)) == {("Elena Weiss", "Chair", "Per Dahl")}
    assert names(rights_report.held_at(NOON + 3 * day, cast.chair)) == set()


@pytest.mark.django_db
def test_an_account_that_ended_and_whoever_seated_herself_hold_nothing(cast):
    initiative = factories.make_initiative(cast)
    with unguarded("governance_membership", "governance_user"), clock.simulated(NOON), acting(by=cast.admin):
        for person in (cast.chair, cast.owner):
            person.is_active = False
            person.save()
        Membership(
            board=cast.board,
            person=cast.second_admin,
            seat=BoardRole.CHAIR,
            starts_at=NOON,
            granted_by=cast.second_admin,
            signs_from=NOON,
        ).save()
    day = timedelta(days=1)
    found = {(row.person, row.what) for row in rights_report.held_at(NOON + day)}
    assert (
        not {("Elena Novak", "Chair"), ("Marta Lindqvist", "Business owner"), ("Noor Aziz", "Chair")} & found
    )
    assert ("Noor Aziz", "Admin") in found
    before = {(row.person, row.what, row.where) for row in rights_report.held_at(NOON - day)}
    assert ("Marta Lindqvist", "Business owner", f"{initiative.ref} {initiative.title}") in before


@pytest.mark.django_db
def test_rights_name_who_gave_them_last(cast):
    def mark(value, day, by):
        with (
            unguarded("governance_user"),
            clock.simulated(NOON + timedelta(days=day)),
            acting(by=by, reason=f"Day {day}"),
        ):
            cast.sponsor.is_auditor = value
            cast.sponsor.save()

    mark(True, 0, cast.admin)
    mark(False, 2, cast.admin)
    mark(True, 4, cast.second_admin)
    with (
        unguarded("governance_user"),
        clock.simulated(NOON + timedelta(days=4, hours=1)),
        acting(by=cast.admin, reason="New address"),
    ):
        cast.sponsor.email = "ada@example.org"
        cast.sponsor.save()
    given = {
        day: [(row.what, row.granted_by, row.since) for row in held if row.kind == "right"]
        for day in (-1, 1, 3, 5)
        for held in [rights_report.held_at(NOON + timedelta(days=day), cast.sponsor)]
    }
    assert given == {
        -1: [],
        1: [("Auditor", "Per Dahl", NOON)],
        3: [],
        5: [("Auditor", "Noor Aziz", NOON + timedelta(days=4))],
    }


@pytest.mark.django_db
def test_roles_come_through_the_hook_once_accepted(cast):
    initiative = factories.make_initiative(cast)
    with clock.simulated(NOON):
        role = role_actions.propose_role(
            initiative=initiative, role="technical_lead", person=cast.lead, by=cast.owner
        )
    with clock.simulated(NOON + timedelta(days=2)):
        role_actions.accept_role(assignment=role, words="I take it.", by=cast.lead)
    day = timedelta(days=1)
    assert rights_report.held_at(NOON + day, cast.lead) == []
    (held,) = rights_report.held_at(NOON + 3 * day, cast.lead)
    assert (held.kind, held.what, held.where) == (
        "role",
        "Technical lead",
        f"{initiative.ref} {initiative.title}",
    )
    assert (held.granted_by, held.since, held.link) == (
        "Marta Lindqvist",
        NOON + 2 * day,
        initiative.get_absolute_url(),
    )
    with clock.simulated(NOON + 4 * day):
        role_actions.revoke_role(assignment=role, reason="Other work", by=cast.owner)
    assert rights_report.held_at(NOON + 5 * day, cast.lead) == []
    assert rights_report.held_at(NOON + 3 * day, cast.lead) == [held]


@pytest.mark.django_db
def test_what_is_held_costs_the_same_for_many(cast, django_assert_max_num_queries):
    factories.make_mvp(cast)
    with django_assert_max_num_queries(9):
        assert len(rights_report.held_at(clock.now())) > 15


def test_every_kind_the_inbox_names_is_recorded_somewhere():
    # A kind that is misspelt here would never be found; the words of the acts stand in the sources.
    from pathlib import Path

    from django.conf import settings

    from initiatives.lifecycle.initiative.contribution import CONTRIBUTION

    sources = "".join(
        path.read_text()
        for floor in ("governance", "initiatives", "adoption")
        for path in (Path(settings.BASE_DIR) / floor).rglob("*.py")
        if path.name not in ("audit.py", "auditing.py", "words.py")
    )
    spelt = [
        kind for kind in CONTRIBUTION.decisions | CONTRIBUTION.readings if not kind.startswith("review ")
    ]
    assert [kind for kind in spelt if f'"{kind}"' not in sources] == []
    assert row_history.current() is None


@pytest.mark.django_db(transaction=True)
def test_nothing_is_concluded_beside_or_after_the_finish(cast):
    """Eight finish while eight conclude: one finish wins, and what it made final is what stands."""
    factories.make_initiative(cast)
    sealing.seal()
    with Ring() as ring:
        for number in range(3):
            sample = drawn(cast, search=Search(), size=1, seed=str(number))
            row = audit_samples.conclude(drawn=sample.drawn.get(), conclusion="satisfied", by=cast.auditor)
            contenders = [partial(audit_samples.finish, sample=sample, by=cast.auditor)] * 8 + [
                partial(
                    audit_samples.conclude,
                    drawn=row,
                    conclusion="exception",
                    words=f"Late {late}",
                    by=cast.auditor,
                )
                for late in range(8)
            ]
            outcomes = [outcome.kind for outcome in ring.run(contenders)]
            assert outcomes[:8].count("done") == 1
            assert set(outcomes) <= {"done", "refused"}
            told = [
                (entry.kind, entry.facts["facts"].get("words"))
                for entry in Entry.objects.acts().select_related("body").order_by("pk")
                if entry.facts["facts"].get("sample") == sample.pk
            ]
            assert told[-1][0] == "sample finished"
            row.refresh_from_db()
            assert row.words == told[-2][1]
