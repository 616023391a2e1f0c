"""The database's catalogue: functions, triggers, constraints, defaults and rights.

`what_stands` returns each as a line that is the same on every installation. `rights` returns the rights of the
logins. `broken_rule` says in words which constraint a row did not meet. The lines come only from the server's
catalogue, so that every change shows. See `governance.transparency_log.database_guards.differences`.
"""

import hashlib
import re
from collections.abc import Iterator
from typing import Any

import structlog
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import Error as DatabaseError
from django.db import IntegrityError, models
from psycopg.errors import CheckViolation

from governance.vocabulary.phrases import Phrase, phrase

log = structlog.get_logger("plumbline.database")

# By whom, or which server, never by the text alone: partitions come with the months, and are compared apart.
OURS = (
    "SELECT c.oid FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace"
    " AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
)
FUNCTIONS = """
SELECT n.nspname || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
       concat_ws(' | ', pg_get_function_result(p.oid), l.lanname, p.prokind, p.prosecdef, p.provolatile, p.proisstrict,
                 p.proparallel, array_to_string(p.proconfig, '; '), p.prosrc, pg_get_function_sqlbody(p.oid)),
       has_function_privilege('public', p.oid, 'EXECUTE')
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
 WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^(pg_toast|pg_temp|kept_)'
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
"""
TRIGGERS = f"""
SELECT t.tgrelid::regclass::text || '.' || t.tgname,
       concat_ws(' | ', n.nspname || '.' || p.proname, pg_get_triggerdef(t.oid)), t.tgenabled::text
  FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND t.tgrelid IN ({OURS})
"""
CONSTRAINTS = f"""
SELECT k.conrelid::regclass::text || '.' || k.conname, pg_get_constraintdef(k.oid)
  FROM pg_constraint k WHERE k.conrelid IN ({OURS}) AND k.contype IN ('c', 'f', 'p', 'u', 'x') AND k.conparentid = 0
"""
# A partial unique index is a rule as well.
INDEXES = f"""
SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
  FROM pg_index i WHERE i.indrelid IN ({OURS}) AND i.indisunique
   AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)
"""
DEFAULTS = f"""
SELECT d.adrelid::regclass::text || '.' || a.attname, pg_get_expr(d.adbin, d.adrelid)
  FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE d.adrelid IN ({OURS})
"""
# What migrations never make, and what switches guards off: each row is a sentence.
NEVER = """
SELECT 'the trigger ' || t.tgname || ' on ' || t.tgrelid::regclass || ' is switched off'
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
 WHERE c.relnamespace = 'public'::regnamespace AND t.tgenabled <> 'O' AND (t.tgisinternal OR t.tgparentid <> 0)
UNION ALL
SELECT 'the partition ' || c.oid::regclass || ' lacks the trigger never_emptied'
  FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relispartition AND c.relkind = 'r'
   AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname = 'never_emptied' AND t.tgenabled = 'O'
                      AND t.tgfoid = 'public.plumbline_refuse_change()'::regprocedure)
UNION ALL
SELECT 'the trigger ' || t.tgname || ' on the partition ' || c.oid::regclass || ' is of nobody''s making'
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
 WHERE c.relnamespace = 'public'::regnamespace AND c.relispartition AND NOT t.tgisinternal AND t.tgparentid = 0
   AND t.tgname <> 'never_emptied'
UNION ALL
SELECT 'the rule ' || r.rulename || ' on ' || r.ev_class::regclass || ' rewrites what is asked of it'
  FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
UNION ALL
SELECT 'row security on ' || c.oid::regclass || ' hides or refuses rows'
  FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relrowsecurity
UNION ALL
SELECT 'the event trigger ' || evtname || ' acts on definitions' FROM pg_event_trigger
UNION ALL
SELECT c.oid::regclass || ' belongs to ' || pg_get_userbyid(c.relowner) || ', not to ' || pg_get_userbyid(e.relowner)
  FROM pg_class c, pg_class e
 WHERE e.oid = 'public.governance_entry'::regclass AND c.relowner <> e.relowner
   AND c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'S', 'v')
UNION ALL
SELECT p.oid::regprocedure || ' belongs to ' || pg_get_userbyid(p.proowner) || ', not to '
       || pg_get_userbyid(e.relowner)
  FROM pg_proc p, pg_class e
 WHERE e.oid = 'public.governance_entry'::regclass AND p.proowner <> e.relowner
   AND p.pronamespace = 'public'::regnamespace AND p.proname LIKE 'plumbline%'
UNION ALL
SELECT 'the setting ' || split_part(one, '=', 1) || ' is laid down for '
       || coalesce(pg_get_userbyid(nullif(s.setrole, 0)), 'everybody')
  FROM pg_db_role_setting s, unnest(s.setconfig) one
 WHERE (s.setdatabase = 0 OR s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()))
   AND one ~* '^(session_replication_role|search_path|plumbline\\.)'
"""
# plumbline_xact() adds a number that a restore sets.
MOVED = re.compile(r"\+ \d+")


def what_stands(cursor: Any) -> dict[str, str]:
    """Return the digest and marks of each function, trigger and the like by "kind name"."""
    found = {}
    with _plain_names(cursor):
        cursor.execute(FUNCTIONS)
        for name, text, public in cursor.fetchall():
            if name == "public.plumbline_xact()":
                text = MOVED.sub("+ n", text)
            found[f"function {name}"] = f"{_digest(text)} {'anybody' if public else 'granted'}"
        cursor.execute(TRIGGERS)
        for name, text, enabled in cursor.fetchall():
            found[f"trigger {name}"] = f"{_digest(text)} {'on' if enabled == 'O' else 'off'}"
        for kind, query in (("constraint", CONSTRAINTS), ("index", INDEXES), ("default", DEFAULTS)):
            cursor.execute(query)
            for name, text in cursor.fetchall():
                found[f"{kind} {name}"] = _digest(text)
    return found


def never_made(cursor: Any) -> list[str]:
    """Return what no migration makes in words, such as rules and owners that avoid a guard."""
    with _plain_names(cursor):
        cursor.execute(NEVER)
        return sorted(text for (text,) in cursor.fetchall())


# Rights of each login on tables, columns, sequences, functions, schemas and the database; the owner's are left out.
GRANTS = """
WITH owner AS (SELECT relowner AS oid FROM pg_class WHERE oid = 'public.governance_entry'::regclass),
given(what, acl) AS (
  SELECT c.relname::text, c.relacl FROM pg_class c
   WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
  UNION ALL SELECT c.relname || '.' || a.attname, a.attacl FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
   WHERE c.relnamespace = 'public'::regnamespace AND a.attacl IS NOT NULL AND NOT a.attisdropped
  UNION ALL SELECT 'the sequence ' || c.relname, c.relacl FROM pg_class c
   WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'S'
  UNION ALL SELECT 'the schema ' || nspname, nspacl FROM pg_namespace WHERE nspname IN ('public', 'asof')
  UNION ALL SELECT 'the database', coalesce(datacl, acldefault('d', datdba)) FROM pg_database
   WHERE datname = current_database()
  UNION ALL SELECT 'the function ' || p.proname, p.proacl FROM pg_proc p
   WHERE p.pronamespace = 'public'::regnamespace AND p.proname LIKE 'plumbline%'
)
SELECT coalesce(r.rolname, 'PUBLIC')::text, what, array_agg(one.privilege_type || CASE WHEN one.is_grantable
       THEN ' WITH GRANT OPTION' ELSE '' END ORDER BY one.privilege_type)
  FROM given, aclexplode(acl) one LEFT JOIN pg_roles r ON r.oid = one.grantee
 WHERE one.grantee <> (SELECT oid FROM owner)
   AND NOT coalesce(r.rolname = 'pg_database_owner', false)
   AND NOT coalesce(r.oid = (SELECT datdba FROM pg_database WHERE datname = current_database()), false)
 GROUP BY 1, 2
"""


def rights(cursor: Any) -> dict[str, dict[str, set[str]]]:
    """Return the grants by login ("PUBLIC" is everyone) and thing, but not the owner's."""
    cursor.execute(GRANTS)
    found: dict[str, dict[str, set[str]]] = {}
    for login, what, given in cursor.fetchall():
        found.setdefault(login, {})[what] = set(given)
    return found


# A login that is more than a login: by itself, or by what it is a member of.
POWERS = """
SELECT r.rolname::text, array_remove(ARRAY[
       CASE WHEN r.rolsuper THEN 'is a superuser' END,
       CASE WHEN r.rolcreaterole THEN 'may make roles' END,
       CASE WHEN r.rolcreatedb THEN 'may make databases' END,
       CASE WHEN r.rolreplication THEN 'may replicate' END,
       CASE WHEN r.rolbypassrls THEN 'passes row security' END,
       CASE WHEN NOT r.rolsuper AND has_parameter_privilege(r.oid, 'session_replication_role', 'SET')
            THEN 'may switch triggers off' END], NULL)
       || array(SELECT 'is a member of ' || g.rolname FROM pg_roles g
                 WHERE g.oid <> r.oid AND NOT r.rolsuper AND pg_has_role(r.oid, g.oid, 'MEMBER')
                   AND (g.rolname = ANY (%s) OR g.oid = e.relowner)
                 ORDER BY g.rolname)
  FROM pg_roles r, pg_class e WHERE e.oid = 'public.governance_entry'::regclass AND r.rolname = ANY (%s)
   AND r.oid <> e.relowner
"""


def powers(cursor: Any, logins: list[str], marks: list[str]) -> Iterator[str]:
    """Yield in words the powers of these logins beyond their grants. `marks`: forbidden roles."""
    cursor.execute(POWERS, [marks, logins])
    for login, told in cursor.fetchall():
        yield from (f"{login} {one}" for one in told)


class BrokenRule(ValidationError, IntegrityError):
    """A row does not meet a CHECK constraint: an error for the form of its act, and still one of the database."""

    def __str__(self) -> str:
        return str(self.__cause__)


def broken_rule(trouble: DatabaseError) -> BrokenRule | None:
    """Return the error of a row that does not meet a CHECK constraint, or None for any other trouble.

    The error is at the field that the constraint speaks of last. Its words are the name of the constraint.
    """
    if not isinstance(trouble.__cause__, CheckViolation):
        return None
    name, table = trouble.__cause__.diag.constraint_name or "", trouble.__cause__.diag.table_name
    log.warning("a row does not meet a constraint", table=table, constraint=name)
    model = next((one for one in apps.get_models() if one._meta.db_table == table), None)
    if model is None:
        return BrokenRule(_not_saved(name))
    for rule in model._meta.constraints:
        if isinstance(rule, models.CheckConstraint) and rule.name == name:
            return BrokenRule({spoken_of(rule.condition): _not_saved(name)})
    for field in model._meta.fields:  # the constraints that Django writes for numbers that are not negative
        if name == f"{table}_{field.column}_check":
            return BrokenRule({field.name: "Enter a number that is not negative."})
    return BrokenRule(_not_saved(name))


def _not_saved(name: str) -> Phrase:
    return phrase(
        "Your input was not saved, because of the rule “{}”. Change what you entered, and send it again.",
        name.replace("_", " "),
    )


def spoken_of(condition: Any) -> str:
    """Return the field that is compared last in a condition, or "" without one."""
    last = ""
    for child in getattr(condition, "children", ()):
        last = (spoken_of(child) if isinstance(child, models.Q) else child[0].partition("__")[0]) or last
    return last


class _plain_names:
    """Names are printed as the search path has them: inside, it is ours."""

    def __init__(self, cursor: Any) -> None:
        self.cursor = cursor

    def __enter__(self) -> None:
        self.cursor.execute("SELECT current_setting('search_path')")
        (self.before,) = self.cursor.fetchone()
        self.cursor.execute("SELECT set_config('search_path', 'pg_catalog, public', false)")

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:  # else the transaction takes it back
            self.cursor.execute("SELECT set_config('search_path', %s, false)", [self.before])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:20]
