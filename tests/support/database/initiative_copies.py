"""Many copies of one initiative, made by SQL in a second: so that a race can be run again and again from the same
start.
"""

from django.db import connection, transaction

from initiatives.models import Initiative, Review

# In this order: what a table points to was copied before it. "parent" is how its rows are found.
TABLES = [
    ("initiatives_initiative", None),
    ("initiatives_roleassignment", "initiative_id"),
    ("initiatives_deployment", "initiative_id"),
    ("initiatives_answer", "initiative_id"),
    ("initiatives_evidence", "initiative_id"),
    ("initiatives_coverage", "evidence_id"),
    ("initiatives_evidencenames", "evidence_id"),
    ("initiatives_review", "initiative_id"),
    ("initiatives_supportedstage", "initiative_id"),
    ("initiatives_supportedstageperiod", "initiative_id"),
]
POINTS_TO = {
    "initiative_id": "initiatives_initiative",
    "deployment_id": "initiatives_deployment",
    "evidence_id": "initiatives_evidence",
    "acceptance_id": "initiatives_roleassignment",
}


def copies(initiative: Initiative, count: int) -> list[Review]:
    """The open reviews of `count` copies of an idea and everything it has, each with a number of its own."""
    with transaction.atomic(), connection.cursor() as cursor:
        # The copies are nobody's act: neither captured nor guarded. What is done to them later is.
        for table, _ in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for table, parent in TABLES:
            _copy(cursor, initiative, table, parent, count)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table, _ in TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        cursor.execute("SELECT new FROM map_initiatives_review ORDER BY n")
        keys = [key for (key,) in cursor.fetchall()]
        for table, _ in TABLES:
            cursor.execute(f"DROP TABLE map_{table}")
    found = Review.objects.select_related("initiative__unit", "rulebook").in_bulk(keys)
    return [found[key] for key in keys]


def _copy(cursor, initiative, table, parent, count):
    source = f"SELECT id FROM {table} WHERE id = {initiative.pk}"
    if parent:
        source = f"SELECT id FROM {table} WHERE {parent} IN (SELECT old FROM map_{POINTS_TO[parent]})"
    cursor.execute(
        f"CREATE TEMP TABLE map_{table} AS SELECT t.id AS old, n,"
        f" nextval(pg_get_serial_sequence('{table}', 'id')) AS new"
        f" FROM ({source}) t, generate_series(1, {count}) n"
    )
    cursor.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = %s"
        " AND is_generated = 'NEVER'"
        " ORDER BY ordinal_position",
        [table],
    )
    columns = [name for (name,) in cursor.fetchall()]
    values, joins = [], []
    for name in columns:
        if name == "id":
            values.append("m.new")
        elif name == "number" and table == "initiatives_initiative":
            values.append("nextval('plumbline_initiative_number')")
        elif name in POINTS_TO and f"map_{POINTS_TO[name]}" != f"map_{table}":
            values.append(f"j_{name}.new")
            joins.append(
                f"LEFT JOIN map_{POINTS_TO[name]} j_{name} ON j_{name}.old = t.{name} AND j_{name}.n = m.n"
            )
        else:
            values.append(f't."{name}"')
    listed = ", ".join(f'"{name}"' for name in columns)
    cursor.execute(
        f"INSERT INTO {table} ({listed}) SELECT {', '.join(values)} FROM map_{table} m"
        f" JOIN {table} t ON t.id = m.old {' '.join(joins)} ORDER BY m.n, t.id"
    )
