"""Entries by the thousand, straight from SQL: what sealing takes no notification of is left out or made up."""

from django.db import connection

from governance.models import Entry

INSERT = """
WITH drawn AS MATERIALIZED (
  SELECT n, nextval('governance_entry_id_seq') AS id, plumbline_salt() AS salt,
         convert_to(json_build_object('kind', 'row', 'n', n, 'reason', 'Größe "geändert"')::text, 'UTF8') AS body
    FROM generate_series(1, %(count)s) AS n, pg_current_xact_id()
), entered AS (
  INSERT INTO governance_entry (id, kind, actor_id, initiative_ref, "table", key, operation, request_id, at, digest)
  SELECT id, 'row', 7, 'AI-0042', 'initiatives_answer', n::text, '~', 'request-1', clock_timestamp(),
         plumbline_hmac(salt, body) FROM drawn
)
INSERT INTO governance_entrybody (entry_id, body, salt) SELECT id, body, salt FROM drawn
"""


def make_entries(count, cursor=None):
    """Insert so many entries with their bodies, in one transaction."""
    if cursor is not None:
        cursor.execute(INSERT, {"count": count})
        return
    with connection.cursor() as own:
        own.execute(INSERT, {"count": count})


def newest_entry():
    """The entry with the highest id."""
    return Entry.objects.order_by("-pk").first()
