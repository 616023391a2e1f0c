"""Row capture: the database writes each change of a governed row to the audit log.

`install` creates the triggers after each migrate. A model under history (`governed`) or a row of the audit log
(`WrittenOnce`) is captured without another line. The SQL below defines the triggers. The functions that they share come
with the migrations. See docs/audit-log.md, "Complete".
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core import checks
from django.db import models

from governance.database.row_history import WrittenOnce
from governance.offline.verify import GOVERNED, Governed

APPS = ("governance", "initiatives", "adoption")

# Models that are part of the audit log by other means, or of none. A model of ours says why in `not_governed`.
OF_LIBRARIES = {
    "admin.LogEntry": "the admin's own list of clicks, while the acts themselves are entries",
    "auth.Permission": "made from the models by Django, and granted to no one",
    "auth.Group": "not used: rights come from seats and roles",
    "contenttypes.ContentType": "made from the models by Django",
}

CAPTURE = """
CREATE OR REPLACE FUNCTION plumbline_capture_{table}() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET timezone = 'UTC' AS $capture$
DECLARE
  number bigint;
BEGIN
{bound}  IF TG_OP = 'DELETE' THEN
    {old_initiative}
    PERFORM plumbline_keep_row('{table}', OLD.{pk}::text, '-', number, {old_row}, NULL);
  ELSIF TG_OP = 'INSERT' THEN
    {new_initiative}
    PERFORM plumbline_keep_row('{table}', NEW.{pk}::text, '+', number, NULL, {new_row}{secret});
  ELSE
    {new_initiative}
    PERFORM plumbline_keep_row('{table}', NEW.{pk}::text, '~', number, {old_row}, {new_row}{secret}{exchanged});
  END IF;
  RETURN NULL;
END $capture$;
CREATE OR REPLACE TRIGGER captured AFTER INSERT OR UPDATE OR DELETE ON {table}
  FOR EACH ROW EXECUTE FUNCTION plumbline_capture_{table}();
"""

GUARD = """
CREATE OR REPLACE FUNCTION plumbline_guard_history_{table}() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $guard$
DECLARE
  running bigint := plumbline_xact();
  sign text := CASE TG_OP WHEN 'INSERT' THEN '+' WHEN 'UPDATE' THEN '~' ELSE '-' END;
  kept bigint;
  told bigint;
BEGIN
{bound}  IF TG_OP = 'UPDATE' AND OLD.{belonging} <> NEW.{belonging} THEN
    RAISE EXCEPTION 'Plumbline: row % of {table} belongs where it was made; it does not move.', NEW.{pk}
      USING ERRCODE = 'PL022', HINT = 'End this one, and make another where it belongs.';
  END IF;
  IF TG_OP = 'DELETE' THEN
    SELECT count(*), count(*) FILTER (WHERE history_type = sign AND ({old}) IS NOT DISTINCT FROM ({history}))
      INTO kept, told FROM {history_table} h WHERE h.{pk} = OLD.{pk} AND h.history_xact = running;
    NEW := OLD;
  ELSE
    SELECT count(*), count(*) FILTER (WHERE history_type = sign AND ({new}) IS NOT DISTINCT FROM ({history}))
      INTO kept, told FROM {history_table} h WHERE h.{pk} = NEW.{pk} AND h.history_xact = running;
  END IF;
  -- By the row, not by the transaction: a plan that took the index on xact would read all entries of a large one
  -- for each of its rows, and its end would take hours. The sum keeps that index out of the planner's choice.
  IF told = 0 OR kept <> (SELECT count(*) FROM governance_entry
                           WHERE "table" = '{table}' AND key = NEW.{pk}::text AND xact - running = 0) THEN
    RAISE EXCEPTION 'Plumbline: row % of {table} changed without its own equal row of history (%).', NEW.{pk}, TG_OP
      USING ERRCODE = 'PL021', HINT = 'Save it through an action. update(), bulk_update(), raw SQL, and '
        'save(update_fields=...) with other changes, leave no history or a false one; history.insert_many and '
        'history.update_alike do.';
  END IF;
  RETURN NULL;
END $guard$;
"""

# The proof of a signature belongs to the initiative of the newest act of its transaction that says its digest. Not
# every initiative has a contract over which it could be reached, and one transaction may sign for many initiatives.
OF_ITS_ACT = """
    SELECT substring((array_agg(e.initiative_ref ORDER BY e.id DESC))[1] FROM 4)::bigint INTO number
      FROM governance_entry e JOIN governance_entrybody b ON b.entry_id = e.id
     WHERE e.xact = plumbline_xact() AND e.initiative_ref <> '' AND e."table" = ''
       AND position(convert_to({digest}, 'UTF8') IN b.body) > 0;"""

# By the line of the table in GOVERNED. A row that is written once has other triggers against changes.
KEPT = """
CREATE OR REPLACE TRIGGER written_as_stated BEFORE {events} ON {table}
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_kept({arguments})
"""

BY_ADMINS = """
CREATE OR REPLACE TRIGGER written_by_admins BEFORE INSERT OR UPDATE ON {table}
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_admins()
"""

# CREATE OR REPLACE does not exist for constraint triggers.
ACTED = """
CREATE CONSTRAINT TRIGGER has_its_act AFTER INSERT OR UPDATE ON {table}
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION plumbline_guard_acted({kinds})
"""
GUARD_TRIGGER = """
CREATE CONSTRAINT TRIGGER has_its_history AFTER INSERT OR UPDATE OR DELETE ON {table}
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION plumbline_guard_history_{table}();
"""


@dataclass(frozen=True)
class InitiativeModel:
    """The model that is an initiative, from the app above. Its rows' entries carry its reference."""

    model: type[models.Model]
    number: str


_initiatives: list[InitiativeModel] = []


def initiatives_are(model: type[models.Model], *, number: str) -> None:
    """Set which model is an initiative, and which column holds its number. The app that has it calls this."""
    _initiatives[:] = [InitiativeModel(model, number)]


def belonging(model: type[models.Model]) -> str | None:
    """Return the column by which a row belongs to its initiative, or None. The column never changes.

    The column is the key of a row that is the initiative itself, or that the initiative points to.
    """
    if not _initiatives:
        return None
    if model is _initiatives[0].model:
        return model._meta.pk.column
    path = _path_of(model, _initiatives[0].model)
    return path[0].points if path else None


def governed_models() -> list[type[models.Model]]:
    """Return every model under history, by table."""
    found = [model for model in apps.get_models() if hasattr(getattr(model, "history", None), "model")]
    return sorted(found, key=lambda model: model._meta.db_table)


def written_once_models() -> list[type[models.Model]]:
    """Return every model whose rows are the audit log and never change, by table."""
    found = [model for model in apps.get_models() if issubclass(model, WrittenOnce)]
    return sorted(found, key=lambda model: model._meta.db_table)


def captured_models() -> list[type[models.Model]]:
    """Return every model whose changes become entries: governed and written-once ones."""
    return [*governed_models(), *written_once_models()]


def history_of(model: Any) -> Any:
    """Return the model of the history rows of a governed model. simple_history sets it as an attribute."""
    return model.history.model


def history_table(model: type[models.Model]) -> str:
    """Return the table of the history rows of a governed model."""
    return str(history_of(model)._meta.db_table)


def columns_of(model: type[models.Model]) -> list[str]:
    """Return the columns a history row repeats."""
    return [field.column for field in history_of(model).tracked_fields]


def present(cursor) -> set[str]:
    """Return the tables that match the models. After a migration to an earlier state some do not."""
    cursor.execute(
        "SELECT table_name, array_agg(column_name::text) FROM information_schema.columns"
        " WHERE table_schema = 'public' GROUP BY table_name"
    )
    columns = {table: set(names) for table, names in cursor.fetchall()}
    return {
        model._meta.db_table
        for model in apps.get_models()
        if columns.get(model._meta.db_table) == {field.column for field in model._meta.concrete_fields}
    }


def bound_to(tables: list[str]) -> str:
    """Return the start of a trigger function, which refuses any table but these."""
    listed = ", ".join(f"'{table}'" for table in sorted(tables))
    return (
        f"  IF TG_TABLE_SCHEMA <> 'public' OR TG_TABLE_NAME NOT IN ({listed}) THEN\n"
        "    RAISE EXCEPTION 'Plumbline: this guard does not stand on %.', TG_TABLE_NAME USING ERRCODE = 'PL024';\n"
        "  END IF;\n"
    )


def install(cursor, present: set[str]) -> None:
    """Put capture on every captured table, and the guards on every governed one. Safe to repeat."""
    once = {model._meta.db_table for model in written_once_models()}
    for model in captured_models():
        if model._meta.db_table not in present:
            continue
        table, pk = model._meta.db_table, model._meta.pk.column
        cursor.execute(
            CAPTURE.format(
                table=table,
                pk=pk,
                bound=bound_to([table]),
                new_initiative=_initiative_of(model, "NEW"),
                old_initiative=_initiative_of(model, "OLD"),
                new_row=_row(model, "NEW"),
                secret=_secret(model),
                exchanged=_exchanged(model),
                old_row=_row(model, "OLD"),
            )
        )
    for model in governed_models():
        if {model._meta.db_table, history_table(model)} <= present:
            _install_guard(cursor, model)
    for table in sorted(GOVERNED.keys() & present):
        line = GOVERNED[table]
        if line.names or table not in once:
            cursor.execute(_kept(table, line, once=table in once))
        if line.by_admin:
            cursor.execute(BY_ADMINS.format(table=table))
        if line.acts:
            cursor.execute(f"DROP TRIGGER IF EXISTS has_its_act ON {table}")
            cursor.execute(ACTED.format(table=table, kinds=", ".join(f"'{kind}'" for kind in line.acts)))


def _kept(table: str, line: Governed, *, once: bool) -> str:
    """Return the SQL of the guard that keeps the rows of a table as its line states."""
    events = "INSERT" if once else "INSERT OR UPDATE" if line.deleted else "INSERT OR UPDATE OR DELETE"
    parts = (line.changes, line.once, line.names, line.by_system, line.until)
    arguments = ", ".join("'{" + ",".join(part) + "}'" for part in parts)
    return KEPT.format(events=events, table=table, arguments=arguments)


def secret_columns(model: type[models.Model]) -> list[str]:
    """Return the columns with hashes of passwords and keys. History has none, entries have their digests."""
    if not hasattr(getattr(model, "history", None), "model"):
        return []
    kept = columns_of(model)
    return [field.column for field in model._meta.concrete_fields if field.column not in kept]


def _row(model, row: str) -> str:
    """SQL for a row as the audit log writes it down."""
    secret = secret_columns(model)
    return f"(to_jsonb({row}) - ARRAY{secret})::json" if secret else f"row_to_json({row})"


def _secret(model) -> str:
    """SQL for what the audit log keeps a digest of, and nothing else, as the last argument of plumbline_keep_row."""
    named = ", ".join(f"'{column}', NEW.\"{column}\"" for column in secret_columns(model))
    return f", json_build_object({named})" if named else ""


def _exchanged(model) -> str:
    """SQL for the names of the secrets that an update exchanged, null for none: no entry repeats the secrets."""
    named = ", ".join(
        f'(\'{column}\', OLD."{column}" IS DISTINCT FROM NEW."{column}")' for column in secret_columns(model)
    )
    if not named:
        return ""
    return f", (SELECT json_agg(s.name) FROM (VALUES {named}) AS s(name, exchanged) WHERE s.exchanged)"


def _install_guard(cursor, model) -> None:
    table = model._meta.db_table
    cursor.execute(
        GUARD.format(
            table=table,
            pk=model._meta.pk.column,
            bound=bound_to([table]),
            belonging=belonging(model) or model._meta.pk.column,
            history_table=history_table(model),
            **{
                name: ", ".join(f'{row}."{column}"' for column in columns_of(model))
                for name, row in (("old", "OLD"), ("new", "NEW"), ("history", "h"))
            },
        )
    )
    cursor.execute(
        "SELECT 1 FROM pg_trigger WHERE tgname = 'has_its_history' AND tgrelid = %s::regclass", [table]
    )
    if cursor.fetchone() is None:
        cursor.execute(GUARD_TRIGGER.format(table=table))
    # Finds the newest history of a row, for the guard and for the state on a day; that without touching the rows.
    history = history_table(model)
    cursor.execute(
        f"CREATE INDEX IF NOT EXISTS {history}_newest ON {history} ({model._meta.pk.column}, history_id, history_xact)"
    )
    cursor.execute("SELECT plumbline_never_emptied(%s)", [table])


# --- Which initiative a row belongs to
# -------------------------------------------------------------------------------------


def _initiative_of(model: type[models.Model], row: str) -> str:
    """Return the SQL that puts the number of the row's initiative in `number`, or ""."""
    if not _initiatives:
        return ""
    initiative = _initiatives[0]
    if model is initiative.model:
        return f"number := {row}.{initiative.number};"
    if column := getattr(model, "signs", ""):
        return OF_ITS_ACT.format(digest=f"{row}.{column}")
    path = _path_of(model, initiative.model)
    if not path:
        return ""
    tables = f"FROM {path[0].table} t0 " + " ".join(
        f"JOIN {step.table} t{place} ON t{place}.{step.column} = t{place - 1}.{step.points}"
        for place, step in enumerate(path)
        if place
    )
    return (
        f"SELECT t{len(path) - 1}.{initiative.number} INTO number {tables}"
        f" WHERE t0.{path[0].column} = {row}.{path[0].points};"
    )


@dataclass(frozen=True)
class Step:
    """One step towards the initiative: into `table`, where `column` equals the column `points` of the row before."""

    table: str
    column: str
    points: str


def _path_of(model, initiative) -> list[Step]:
    """Return the shortest way from a row to its initiative over relations, or []."""
    waiting: deque[tuple[type[models.Model], list[Step]]] = deque([(model, [])])
    seen = {model}
    while waiting:
        here, path = waiting.popleft()
        for target, step in _steps(here, initiative):
            if target is initiative:
                return [*path, step]
            if target not in seen:
                seen.add(target)
                waiting.append((target, [*path, step]))
    return []


def _steps(model, initiative) -> Iterator[tuple[type[models.Model], Step]]:
    """Where one step leads: to what a row points to, and to the initiative that has the row as its own."""
    for field in model._meta.fields:
        if field.is_relation and field.related_model is not model:
            target = field.related_model
            yield target, Step(target._meta.db_table, field.target_field.column, field.column)
    for field in initiative._meta.fields:
        if field.one_to_one and field.related_model is model:
            yield initiative, Step(initiative._meta.db_table, field.column, field.target_field.column)


# --- That nothing is forgotten ---------------------------------------------------------------------------------------


def check_models(**_) -> list[checks.CheckMessage]:
    """Return an error for each model without a kind of record, or with a hidden table."""
    found = []
    for model in apps.get_models():
        label = model._meta.label
        if hasattr(model, "instance_type"):  # a table of history
            continue
        found += [
            checks.Error(
                f"{label}.{field.name} is a plain many-to-many field, so the audit log would not record "
                "changes of its table.",
                hint=(
                    "Write the table as a separate model with `through=`, and put that model under history."
                ),
                obj=model,
                id="plumbline.E002",
            )
            for field in model._meta.local_many_to_many
            if model._meta.app_label in APPS and field.remote_field.through._meta.auto_created
        ]
        if label in OF_LIBRARIES:
            continue
        governed = hasattr(getattr(model, "history", None), "model")
        once = issubclass(model, WrittenOnce)
        said = bool(getattr(model, "not_governed", ""))
        if [governed, once, said].count(True) != 1:
            found.append(
                checks.Error(
                    f"{label} is {'more than one' if governed or once or said else 'none'} of: under history, a row "
                    "of the audit log, not governed for a reason.",
                    hint=(
                        "Add `history = governed()`, derive it from WrittenOnce, or give the reason in "
                        "`not_governed = '...'` (for a model of a library, in capture.OF_LIBRARIES)."
                    ),
                    obj=model,
                    id="plumbline.E001",
                )
            )
        elif (governed or once) and (wrong := _lacks(model)):
            found.append(
                checks.Error(
                    f"{label}: {wrong}.",
                    hint="State in GOVERNED of governance/offline/verify.py what may happen to rows of this table.",
                    obj=model,
                    id="plumbline.E003",
                )
            )
    return found


def _lacks(model: type[models.Model]) -> str:
    """Return what is wrong with the line of a governed table, or ""."""
    line = GOVERNED.get(model._meta.db_table)
    if line is None:
        return "its table has no line in GOVERNED"
    unknown = {name for part in line[:5] for name in part} - {
        field.column for field in model._meta.concrete_fields
    }
    return (
        f"its line in GOVERNED names columns that do not exist: {', '.join(sorted(unknown))}"
        if unknown
        else ""
    )
