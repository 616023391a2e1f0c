"""Looking back, measured: `python -m tests.drills.audit_log.asof [--rows 1000000] [--pairs 1000]`.

Of one real initiative, told through the real acts, copies are made in sets until so many row changes stand behind; then
a page of 50 initiatives is read as of a day in the middle, and a timeline of 200 changes. Pairs: see
`tests.support.initiatives.past_year`.

A change in governance/audit_log, governance/database or initiatives/lifecycle/activity asks for it.
"""

import argparse
import statistics
import time
from datetime import UTC, datetime, timedelta

from tests.drills.company import place

INITIATIVES = 500
DAY = datetime(2024, 6, 1, 12, tzinfo=UTC)
ROUNDS = 15
FAR = 1_000_000  # between the keys of one copy and the next
FAR_XACT = 100_000


def main() -> None:
    """Print what was asked for."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--rows", type=int, default=1_000_000)
    asked.add_argument("--pairs", type=int, default=0)
    given = asked.parse_args()
    if given.rows:
        with place.database():
            figures(given.rows)
    if given.pairs:
        with place.database():
            pairs(given.pairs)


def pairs(count: int) -> None:
    """So many random initiatives and instants of a simulated year, asked again, against what was seen live."""
    from tests.support.initiatives import past_year

    began = time.monotonic()
    year = past_year.lived()
    print(f"a year lived: {len(year.moments)} moments, {time.monotonic() - began:.0f} s")
    wrong = past_year.asked_again(year, count, seed=1)
    print(f"{count} pairs of initiative and instant asked again: {len(wrong)} differ from what was seen live")
    for line in wrong[:20]:
        print("  ", line)


def figures(rows: int) -> None:
    """The page of 50 initiatives and the timeline, with so many row changes behind them."""
    from django.db import connection
    from django.test import Client, RequestFactory

    from adoption.demo import initiative_acts
    from governance import clock
    from governance.models import Entry, Rulebook
    from governance.transparency_log import as_of, sealing
    from initiatives.lifecycle.access import visibility
    from initiatives.lifecycle.activity import timeline
    from initiatives.lifecycle.facts import initiative_rows
    from initiatives.lifecycle.requirements import actions as requirement_actions
    from initiatives.portfolio.initiative_list import filters
    from initiatives.portfolio.initiative_list import views as portfolio_views
    from initiatives.portfolio.initiative_list.portfolio_paging import Listing
    from tests.support import factories

    with clock.simulated(DAY - timedelta(days=150)):
        cast = factories.make_cast()
        initiative = factories.make_initiative(cast)
    with clock.simulated(DAY - timedelta(days=120)):
        initiative_acts.to_mvp(initiative_acts.to_prototype(initiative, cast.team), cast.team)
        for turn in range(70):
            words = f"Said again, in other words: {turn}."
            requirement_actions.answer(
                initiative=initiative, requirement="mvp.users", kind="answered", text=words, by=cast.owner
            )
    sealing.seal()
    began = time.monotonic()
    made = copies(initiative, rows)
    print(f"{made} row changes of {INITIATIVES} initiatives, made in {time.monotonic() - began:.0f} s")
    request = RequestFactory().get("/initiatives/")
    request.user = cast.auditor

    def listed(rulebook):
        chosen = portfolio_views.chosen_initiatives(request, rulebook)
        return Listing(chosen, visibility.visible_to(request.user), rulebook, clock.now())

    def page():
        with as_of.day(DAY, opened=as_of.Opened()):
            rulebook = Rulebook.objects.in_force()
            found = listed(rulebook)[0:50]
            assert len(found) == 50
            assert "recomputing" not in {row.supported for row in found}

    def fifty():
        with as_of.day(DAY, opened=as_of.Opened(initiatives=frozenset(some))):
            rulebook = Rulebook.objects.in_force()
            chosen = portfolio_views.chosen_initiatives(request, rulebook).qs
            asked = filters.with_people(filters.with_details(chosen, rulebook))[:50]
            began = time.perf_counter()
            assert len(asked) == 50
            return (time.perf_counter() - began) * 1000

    def whole():
        with as_of.day(DAY, opened=as_of.Opened()):
            assert portfolio_views.portfolio(request).status_code == 200

    def evidence():
        with as_of.day(DAY, opened=as_of.Opened()):
            from initiatives.models import Initiative

            initiative_rows.read_together(list(Initiative.objects.filter(pk__in=some)))

    with as_of.day(DAY):
        from initiatives.models import Initiative

        some = list(Initiative.objects.values_list("pk", flat=True)[:50])
    told("50 initiatives of the portfolio with their supported stage, as of a day (one query)", page)
    told("the same of somebody who may look back at these 50", fifty)
    alone = sorted(fifty() for _ in range(ROUNDS))
    print(f"   of that the query to the database: median {alone[ROUNDS // 2]:.1f} ms, best {alone[0]:.1f}")
    told("the whole portfolio page, as of a day (template included)", whole)
    told("every row the gates look at, of 50 initiatives, as of a day", evidence)
    client = Client(SERVER_NAME="localhost")
    client.force_login(cast.auditor)
    for words, address in (("initiative", ""), ("requirements", "requirements/"), ("activity", "activity/")):
        url = f"{initiative.get_absolute_url()}{address}?as_of={DAY:%Y-%m-%d}"
        told(f"GET {words} as of a day, sign-in and its entry included", lambda url=url: ok(client, url))
    rulebook = Rulebook.objects.current().parsed
    wanted = (
        Entry.objects.acts().of_initiative(initiative.ref).filter(simulated=True)
    )  # the real ones, with real bodies

    def line():
        lines = timeline.lines(initiative, wanted.all(), rulebook)
        changes = sum(len(one.rows) for one in lines)
        assert changes >= 200, changes

    told("timeline of 200 changes and more, with diffs", line)
    connection.force_debug_cursor = True
    connection.queries_log.clear()
    lines = timeline.lines(initiative, wanted.all(), rulebook)
    print(f"   changes {sum(len(one.rows) for one in lines)}, queries {len(connection.queries_log)}")


def ok(client, url) -> None:
    """The page answers."""
    assert client.get(url).status_code == 200, url


def told(words: str, act) -> None:
    """Do it so often and print the median and the slowest but one."""
    act()
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        act()
        times.append((time.perf_counter() - began) * 1000)
    print(f"{words}: median {statistics.median(times):.1f} ms, best {min(times):.1f}, worst {max(times):.1f}")


def copies(initiative, rows: int) -> int:
    """Copy the initiative and everything that ever happened to its rows until there are so many row changes; how
    many.
    """
    from django.db import connection

    from governance.audit_log import row_capture
    from initiatives.models import Initiative, PastSupportedStage

    models = [
        model
        for model in row_capture.governed_models()
        if model is Initiative or row_capture._path_of(model, Initiative)
    ]
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        versions = max(2, round(rows / INITIATIVES / changes_of(cursor, initiative)))
        for model in models:
            copy_history(cursor, model, models, versions)
        copy_history(cursor, PastSupportedStage, models, versions)
        columns = live(Initiative, models, "k")
        cursor.execute(
            f"INSERT INTO initiatives_initiative ({names(columns)}) SELECT {values(columns)}"
            f" FROM initiatives_initiative r, generate_series(1::bigint, {INITIATIVES - 1}) k"
            f" WHERE r.id = {initiative.pk}"
        )
        copy_entries(cursor, versions)
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("SELECT count(*) FROM governance_entry WHERE \"table\" <> ''")
        return cursor.fetchone()[0]


def changes_of(cursor, initiative) -> int:
    """How many changes of rows the one initiative has behind it."""
    cursor.execute(
        "SELECT count(*) FROM governance_entry WHERE initiative_ref = %s AND \"table\" <> ''",
        [initiative.ref],
    )
    return cursor.fetchone()[0]


def live(model, models, copy: str) -> dict[str, str]:
    """SQL for each column of a copied row: keys of copied tables are moved, everything else stays."""
    found = {}
    for field in model._meta.concrete_fields:
        moved = field.primary_key or field.related_model in models
        found[field.column] = f'r."{field.column}"' + (f" + {copy} * {FAR}" if moved else "")
        if field.column == "number" and model._meta.model_name == "initiative":
            found["number"] = f'r."number" + {copy}'
    return found


def names(columns) -> str:
    return ", ".join(f'"{name}"' for name in columns)


def values(columns) -> str:
    return ", ".join(columns.values())


SERIES = (
    "generate_series(0::bigint, {initiatives}) k, generate_series(0::bigint, {versions}) v"
    " WHERE (k, v) <> (0, 0) ORDER BY v, r.{order}"
)
XACT = "r.{column} + (v * 1000 + k) * {far}"


def copy_history(cursor, model, models, versions: int) -> None:
    """Copies of all rows of history, first to last version; a repeated version is a change."""
    once = not hasattr(model, "history")
    table = model._meta.db_table if once else model.history.model._meta.db_table
    order = "id" if once else "history_id"
    columns = live(model, models, "k")
    series = SERIES.format(initiatives=INITIATIVES - 1, versions=versions - 1, order=order)
    if once:
        del columns["id"]
        columns["xact"] = XACT.format(column="xact", far=FAR_XACT)
        columns["spans"] = (
            "(SELECT jsonb_agg(span || jsonb_build_object('initiative_id', r.initiative_id + k * "
            f"{FAR})) FROM jsonb_array_elements(r.spans) span)"
        )
    else:
        columns |= {name: f"r.{name}" for name in ("history_date", "history_user_id", "history_user_name")}
        columns["history_change_reason"] = "r.history_change_reason"
        columns["history_type"] = "CASE WHEN v = 0 THEN r.history_type ELSE '~' END"
        columns["history_xact"] = XACT.format(column="history_xact", far=FAR_XACT)
        for name in capture_secret(model):
            columns.pop(name, None)
    cursor.execute(
        f"INSERT INTO {table} ({names(columns)}) SELECT {values(columns)} FROM {table} r, {series}"
    )


def capture_secret(model) -> list[str]:
    """Columns that history does not repeat."""
    from governance.audit_log import row_capture

    return row_capture.secret_columns(model)


def copy_entries(cursor, versions: int) -> None:
    """The entries of all copies, small bodies, and from when on each transaction is known: spread over 300 days."""
    series = SERIES.format(initiatives=INITIATIVES - 1, versions=versions - 1, order="id").replace(
        "WHERE", "WHERE r.initiative_ref <> '' AND"
    )
    cursor.execute(
        'INSERT INTO governance_entry (kind, actor_id, on_behalf_of_id, initiative_ref, "table", key, operation, xact,'
        " request_id, at, recorded_at, simulated, digest)"
        ' SELECT r.kind, r.actor_id, r.on_behalf_of_id, plumbline_reference(1 + k), r."table", r.key, r.operation,'
        f" {XACT.format(column='xact', far=FAR_XACT)}, '', r.at, r.recorded_at, false, r.digest"
        f" FROM governance_entry r, {series}"
    )
    cursor.execute(
        "INSERT INTO governance_entrybody (entry_id, body, salt) SELECT e.id, convert_to("
        '\'{"kind":"\' || e.kind || \'","actor":{"id":1,"name":"Ada Sato"},"reason":"","facts":{},'
        "\"before\":null,\"after\":null}', 'UTF8'), ''"
        " FROM governance_entry e WHERE NOT EXISTS (SELECT FROM governance_entrybody b WHERE b.entry_id = e.id)"
    )
    cursor.execute(
        "INSERT INTO governance_checkpoint (origin, size, root, note, at, counted, running_to)"
        f" SELECT origin, size + v, root, note, %s + v * interval '{300 / versions:.3f} days', counted,"
        f" (SELECT max(xact) FROM governance_sealing) + v * 1000 * {FAR_XACT} FROM governance_checkpoint r,"
        f" generate_series(0::bigint, {versions}) v ORDER BY v",
        [DAY - timedelta(days=119)],
    )
    cursor.execute(
        "INSERT INTO governance_sealing (xact, checkpoint_id, known_at)"
        f" SELECT r.xact + (v * 1000 + k) * {FAR_XACT}, r.checkpoint_id,"
        f" timestamptz '{DAY - timedelta(days=119)}' + v * interval '{300 / versions:.3f} days'"
        f" FROM governance_sealing r, generate_series(0::bigint, {INITIATIVES - 1}) k,"
        f" generate_series(0::bigint, {versions - 1}) v WHERE (k, v) <> (0, 0)"
    )


if __name__ == "__main__":
    main()
