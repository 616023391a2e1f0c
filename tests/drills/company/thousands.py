"""A company of any size for measurements: initiatives by the thousand, laid down set-wise, by nobody's leave but
the rules'.

Two real initiatives are told through the acts; their answers, versions and evidence are copied, for each new initiative
under its own keys. Everything enters as it must: initiatives as proposed ideas, then stage changes reported by an
import, each with its entry; rows of history beside every row; capture and all guards are on. What a process of ours
could not write, this cannot either.
"""

import random
import time
from dataclasses import dataclass

from django.db import connection, transaction

BATCH = 500
# Stage, how many of a hundred initiatives, and how many items of evidence each has: ten on average.
MIX = (("proposed", 40, 5), ("prototype", 30, 11), ("mvp", 20, 15), ("production", 10, 15))
WORDS = (
    "Summary",
    "Triage",
    "Matching",
    "Search",
    "Draft",
    "Forecast",
    "Routing",
    "Review",
    "Intake",
    "Claims",
)
PLACES = ("accounts", "logistics", "treasury", "plants", "research", "support", "retail", "fleet", "archive")


@dataclass
class Company:
    """Who and what a drill asks about."""

    cast: object
    people: list
    units: list
    initiatives: int
    evidence: int
    seconds: float


def found(initiatives: int, *, people: int = 300, units: int = 40) -> Company:
    """A company with so many initiatives beside the cast of the tests. The same number gives the same company.

    In a database that has one already, whatever it lacks of the number is laid down.
    """
    from governance.models import Unit, User
    from initiatives.models import Evidence, Initiative
    from tests.support import factories

    chance = random.Random(initiatives)
    began = time.monotonic()
    if User.objects.exists():
        cast, whole = factories.cast_again(), Initiative.objects.filter(stage="production").earliest("number")
        folk = list(User.objects.filter(login__startswith="person-"))
        places = list(Unit.objects.filter(code__startswith="unit-"))
    else:
        cast = factories.make_cast()
        whole = factories.make_production(cast)
        folk, places = _folk(people), _places(cast, units)
    more(initiatives, whole, cast, folk, places, chance)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return Company(cast, folk, places, initiatives, Evidence.objects.count(), time.monotonic() - began)


def more(initiatives: int, whole, cast, folk: list, places: list, chance: random.Random) -> None:
    """Copies of the told initiative, of these owners and in these units, until there are so many initiatives."""
    from initiatives.models import Initiative

    _name_who_acts("DISABLE")
    while (left := initiatives - Initiative.objects.count()) > 0:
        with transaction.atomic():
            _batch(min(BATCH, left), whole, cast, folk, places, chance)
    _name_who_acts("ENABLE")


def _name_who_acts(how: str) -> None:
    """Switch the guards off that ask for the name of who acts: the copies name their owners."""
    with connection.cursor() as cursor:
        if connection.in_atomic_block:  # no table is altered while checks of its rows wait
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        for table in ("initiatives_answer", "initiatives_evidence"):
            cursor.execute(f"ALTER TABLE {table} {how} TRIGGER written_as_stated")


def _folk(count: int) -> list:
    from governance.audit_log import entries
    from governance.database import row_history
    from governance.database.row_history import acting
    from governance.models import User

    folk = []
    for first in range(0, count, 200):  # the act of each row is looked for among the acts of its transaction
        with transaction.atomic(), acting(system="drill", reason="Founded"):
            rows = row_history.insert_many(
                User,
                [
                    User(
                        login=f"person-{n}",
                        full_name=f"Person {n}",
                        email=f"person-{n}@example.org",
                        password="!",
                    )
                    for n in range(first, min(first + 200, count))
                ],
            )
            said = [(None, {"person": row.full_name, "person_id": row.pk}) for row in rows]
            entries.record_many("account added", said)
            folk += rows
    return folk


def _places(cast, count: int) -> list:
    from governance.audit_log import entries
    from governance.database import row_history
    from governance.database.row_history import acting
    from governance.models import Unit

    above = cast.unit.parent  # the board of the cast decides for all of them
    with transaction.atomic(), acting(system="drill", reason="Founded"):
        entries.record("unit added")
        return row_history.insert_many(
            Unit,
            [
                Unit(name=f"Unit {n}", code=f"unit-{n}", parent=above, path=f"{above.path}unit-{n}/")
                for n in range(count)
            ],
        )


def _batch(count: int, whole, cast, folk: list, places: list, chance: random.Random) -> None:
    from governance import clock
    from governance.audit_log import entries
    from governance.database import row_history
    from governance.database.row_history import acting
    from initiatives.lifecycle.facts import supported_stage_rows
    from initiatives.models import Initiative, StageChange
    from initiatives.models.stage_machine import REPORTED, make_move, offered
    from initiatives.portfolio.registration.actions import next_numbers

    now = clock.now()
    with acting(by=cast.admin, reason="Founded"):
        initiatives = row_history.insert_many(
            Initiative,
            [
                Initiative(
                    number=number,
                    title=f"{chance.choice(WORDS)} for {chance.choice(PLACES)} {number}",
                    unit=chance.choice(places),
                    problem=f"It takes {chance.randint(2, 90)} minutes, every time.",
                    platform=f"Platform {chance.randint(1, 30)}",
                    since=now,
                    registered_at=now,
                    registered_by=cast.admin,
                )
                for number in next_numbers(count)
            ],
        )
        meant = chance.choices(MIX, [share for _, share, _ in MIX], k=count)
        owners = chance.choices(folk, k=count)
        _targets(initiatives, [items for *_, items in meant], owners)
        entries.record_many(
            "registered",
            [
                (
                    initiative,
                    {
                        "unit": initiative.unit.name,
                        "problem": initiative.problem,
                        "owner": o.full_name,
                        "successor_of": None,
                    },
                )
             for initiative, o in zip(initiatives, owners, strict=True)],
        )  # fmt: skip
        _owned(initiatives, owners, now)
        _copies(whole)
        _entries({initiative.pk: initiative for initiative in initiatives})
        moves = [
            (initiative, stage)
            for initiative, (stage, *_) in zip(initiatives, meant, strict=True)
            if stage != "proposed"
        ]
        written = entries.record_many(
            "stage changed",
            [
                (
                    initiative,
                    {"from": "proposed", "to": stage, "basis": "import", "why": "Founded", "reported": True},
                )
                for initiative, stage in moves
            ],
        )
        StageChange.objects.bulk_create(
            StageChange(
                initiative=initiative,
                from_stage="proposed",
                to_stage=stage,
                basis="import",
                reason="Founded",
                by=cast.admin,
                at=now,
                supported_then="proposed",
                entry_id=entry.pk,
            )
            for (initiative, stage), entry in zip(moves, written, strict=True)
        )
        for stage, _, _ in MIX:
            same = [
                initiative
                for initiative, (meant_stage, *_) in zip(initiatives, meant, strict=True)
                if meant_stage == stage
            ]
            if not same:
                continue
            if stage != "proposed":
                for initiative in same:
                    make_move(initiative, offered(initiative, kind=REPORTED, target=stage))
                    initiative.basis, initiative.since = "import", now
                row_history.update_alike(Initiative, same, ["stage", "basis", "since"])
            supported_stage_rows.rewrite_alike(same)


def _targets(initiatives: list, items: list[int], owners: list) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE target ON COMMIT DROP AS SELECT * FROM"
            " unnest(%s::bigint[], %s::int[], %s::bigint[]) AS t(of_initiative, items, owner)",
            [[initiative.pk for initiative in initiatives], items, [person.pk for person in owners]],
        )


def _owned(initiatives: list, owners: list, now) -> None:
    """Each accepts to own their initiatives, as nobody can in the name of somebody else."""
    from governance.audit_log import entries
    from governance.database import row_history
    from governance.database.row_history import acting
    from initiatives.models import RoleAssignment

    theirs: dict = {}
    for initiative, person in zip(initiatives, owners, strict=True):
        theirs.setdefault(person, []).append(initiative)
    for person, own in theirs.items():
        with acting(by=person, reason="Founded"):
            row_history.insert_many(
                RoleAssignment,
                [
                    RoleAssignment(
                        initiative=initiative,
                        role="owner",
                        person=person,
                        proposed_by=person,
                        proposed_at=now,
                        accepted_at=now,
                    )
                    for initiative in own
                ],
            )
            entries.record_many(
                "role accepted", [(initiative, {"role": "owner", "words": ""}) for initiative in own]
            )


def _copies(whole) -> None:
    """Answers, versions and evidence of the told initiative, for every target its own."""
    from initiatives import models

    _copy(models.Answer, "r.initiative_id = %s", whole, own={"by_id": "t.owner"})
    _copy(models.Deployment, "r.initiative_id = %s", whole)
    _copy(
        models.Evidence,
        "r.clause_id IS NULL AND r.acceptance_id IS NULL AND r.supersedes_id IS NULL AND r.initiative_id = %s"
        " AND (SELECT count(*) FROM initiatives_evidence o WHERE o.initiative_id = r.initiative_id"
        " AND o.id < r.id) < t.items",
        whole,
        own={"author_id": "t.owner"},
    )
    of_items = "r.evidence_id IN (SELECT id FROM initiatives_evidence WHERE initiative_id = %s)"
    _copy(models.Coverage, of_items, whole, above={"evidence_id": models.Evidence})
    _copy(
        models.EvidenceNames,
        f"r.deployment_id IS NOT NULL AND {of_items}",
        whole,
        above={"evidence_id": models.Evidence, "deployment_id": models.Deployment},
    )
    # Whoever read the told reports on the layers holds a role on none of the copies either.
    # That its adoption is measured: what the measures of the told initiative say, for each of the same stage.
    _copy(models.RequirementFinding, "r.ended_at IS NULL AND t.items >= 15 AND r.initiative_id = %s", whole)


def _copy(model, which: str, whole, own: dict | None = None, above: dict | None = None) -> None:
    """Rows of one table under new keys, for every target; `above`: columns that point to rows copied before."""
    from governance.database import row_history
    from tests.support.attacks.unguarded_writes import unguarded

    table = model._meta.db_table
    told = [
        field for field in model._meta.concrete_fields if field.column != "xact"
    ]  # a row's own transaction
    columns = {field.column: f'r."{field.column}"' for field in told} | (own or {})
    columns |= {"id": "m.made"} | ({"initiative_id": "t.of_initiative"} if "initiative_id" in columns else {})
    joins = ""
    for column, parent in (above or {}).items():
        columns[column] = f"{column}.made"
        joins += (
            f" JOIN made_{parent._meta.model_name} {column} ON {column}.told = r.{column}"
            f" AND {column}.of_initiative = t.of_initiative"
        )
    made = f"made_{model._meta.model_name}"
    names, values = ", ".join(f'"{name}"' for name in columns), ", ".join(columns.values())
    # The copies name owners who did not act.
    with unguarded(table), connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMPORARY TABLE {made} ON COMMIT DROP AS SELECT r.id AS told, t.of_initiative,"
            f" nextval(pg_get_serial_sequence('{table}', 'id')) AS made FROM {table} r CROSS JOIN target t{joins}"
            f" WHERE {which} ORDER BY t.of_initiative, r.id",
            [whole.pk],
        )
        cursor.execute(f"ANALYZE {made}")
        cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {values} FROM {made} m JOIN {table} r ON r.id = m.told"
            f" JOIN target t ON t.of_initiative = m.of_initiative{joins}"
        )
        if issubclass(model, row_history.WrittenOnce):
            return
        cursor.execute(f"SELECT made FROM {made}")
        row_history.write_history(model, [key for (key,) in cursor.fetchall()], "+")


def _entries(initiatives: dict) -> None:
    """What the acts would have told of each answer and each item."""
    from governance.audit_log import entries
    from initiatives.models import Answer, Evidence

    answers = Answer.objects.filter(initiative__in=list(initiatives)).values_list(
        "initiative_id", "requirement", "text"
    )
    entries.record_many(
        "answered",
        [
            (initiatives[key], {"requirement": asked, "text": text, "version": 1})
            for key, asked, text in answers
        ],
    )
    items = Evidence.objects.filter(initiative__in=list(initiatives)).values_list(
        "initiative_id", "pk", "title", "sha256"
    )
    entries.record_many(
        "evidence added",
        [
            (initiatives[key], {"evidence": pk, "title": title, "sha256": digest})
            for key, pk, title, digest in items
        ],
    )
