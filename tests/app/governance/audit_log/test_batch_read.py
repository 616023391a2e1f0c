"""Rows of many tables in one query: the same as the tables' own queries give, and asked from few places."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import Exists, F, OuterRef

from governance import clock
from governance.database import prepared_statements
from governance.database.batch_read import MANY, Batch, Given, Rows
from governance.database.request_memo import afresh, one_look
from governance.models import Absence, Membership
from initiatives.portfolio.units import leaving

pytestmark = pytest.mark.django_db

SEATS = Batch(
    seats=Rows(
        Membership.objects.held_at(Given("now")).annotate(
            since=F("starts_at"), away=Exists(Absence.objects.filter(person=OuterRef("person")))
        ),
        "board",
        joined={"person": ("id", "full_name"), "board": ("id", "name"), "board__unit": ("id", "code")},
        without=("starts_at",),
    ),
    names=Rows(Membership.objects.all(), "board", only=("id", "board_id", "seat")),
)


def test_rows_are_those_of_the_tables_own_queries(cast, django_assert_num_queries):
    with django_assert_num_queries(1):
        found = SEATS.ask([cast.board.pk])
        told = [
            (row, row.person.full_name, row.board.unit.code, row.since, row.away) for row in found["seats"]
        ]
    rows = Membership.objects.held_at(clock.now()).filter(board=cast.board).order_by("pk")
    own = [(row, row.person.full_name, row.board.unit.code, row.starts_at, False) for row in rows]
    assert told == own
    assert told
    assert {row.person.login for row in found["seats"]} == {row.person.login for row in rows}, (
        "read when asked for"
    )
    assert [row.starts_at for row in found["seats"]] == [row.starts_at for row in rows]
    assert [vars(row).keys() & {"seat", "person_id"} for row in found["names"]] == [{"seat"}] * len(rows)


def test_the_moment_is_told_at_each_question(cast):
    before = SEATS.ask([cast.board.pk])["seats"]
    with clock.simulated(clock.now() - timedelta(days=4000)):
        assert SEATS.ask([cast.board.pk])["seats"] == []
    assert SEATS.ask([cast.board.pk])["seats"] == before


def test_who_looks_reads_once_and_who_acts_anew(cast, django_assert_num_queries):
    key = cast.board.pk
    with one_look(), django_assert_num_queries(2):
        held = SEATS.of(key, "seats")
        assert SEATS.of(key, "names")
        assert SEATS.of(key, "seats") is held
        with afresh():
            assert SEATS.of(key, "seats") is not held


def test_nothing_is_asked_around_no_key(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert SEATS.ask([]) == {"seats": [], "names": []}


def test_what_adopts_a_initiative_row_is_no_new_row(cast):
    row = SEATS.ask([cast.board.pk], "seats")["seats"][0]
    leaving.revoke_membership(membership=row, reason="Left", by=cast.admin)
    assert row not in SEATS.ask([cast.board.pk], "seats")["seats"]


def test_the_server_keeps_statements_of_acts_and_behind_a_pooler_none(monkeypatch):
    def kept(mark: str) -> int:
        for _ in range(2):
            with prepared_statements.cursor() as cursor:
                cursor.execute(f"SELECT %s::int AS {mark}", [1])
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s", [f"%{mark}%"]
            )
            return cursor.fetchone()[0]

    assert kept("of_an_act") == 1
    monkeypatch.setattr(connection.connection, "prepare_threshold", None)
    assert kept("behind_a_pooler") == 0


@pytest.mark.django_db(transaction=True)
def test_a_long_question_of_who_looks_is_planned_once_for_any_keys():
    tables = {f"seats_{number}": Rows(Membership.objects.all(), "board") for number in range(MANY)}
    planned = "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE '%%' || %s || '%%'"
    long, short = Batch(**tables), Batch(only=tables["seats_0"])
    with connection.cursor() as cursor:
        for batch, name, plans in ((long, f"seats_{MANY - 1}", (3, 0)), (short, "'only'", (0, 3))):
            for key in range(3):
                with one_look():
                    batch.together([key])
            cursor.execute(planned, [name])
            assert [row for row in cursor.fetchall() if sum(row)] == [plans]
        cursor.execute("SHOW plan_cache_mode")
        assert cursor.fetchone() == ("auto",)
