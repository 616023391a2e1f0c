"""Entries of rows say from when on they are judged, and keep a digest of what no history repeats.

What was written before stays as it is: an entry without `rules` was written before this installation began to judge,
and one without `secrets` before digests were kept.
"""

import importlib

from django.db import migrations

# `rules` is the number of governance.offline.verify.RULES. It stands in every entry of a row, so that the first one,
# which is sealed, says when judging began: nobody writes it elsewhere, and nobody takes it out of all entries unseen.
# Digests are HMACs under the salt of their own body: none can be compared with another, all end with their body.
KEEP = """
DROP FUNCTION plumbline_keep_row(text, text, text, bigint, json, json);
CREATE FUNCTION plumbline_keep_row(place text, row_key text, sign text, number bigint, old_row json, new_row json,
                                   secrets json DEFAULT NULL)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  act json := plumbline_act(place);
  salt bytea := plumbline_salt();
  digests json := (SELECT json_object_agg(s.key, encode(plumbline_digest(salt, s.key, s.value), 'hex'))
                     FROM json_each_text(secrets) s);
  told bytea := convert_to(CASE WHEN digests IS NULL THEN json_build_object(
    'kind', 'row', 'table', place, 'key', row_key, 'operation', sign, 'at', act->>'at',
    'actor', json_build_object('id', act->'id', 'name', act->>'name'), 'reason', act->>'reason',
    'before', old_row, 'after', new_row, 'rules', 1)
  ELSE json_build_object(
    'kind', 'row', 'table', place, 'key', row_key, 'operation', sign, 'at', act->>'at',
    'actor', json_build_object('id', act->'id', 'name', act->>'name'), 'reason', act->>'reason',
    'before', old_row, 'after', new_row, 'rules', 1, 'secrets', digests) END::text, 'UTF8');
  written bigint;
BEGIN
  INSERT INTO governance_entry
    (kind, actor_id, case_ref, "table", key, operation, request_id, at, digest)
  VALUES ('row', (act->>'id')::bigint, coalesce(plumbline_reference(number), ''), place, row_key, sign,
    coalesce(act->>'request', ''), (act->>'at')::timestamptz, plumbline_hmac(salt, told))
  RETURNING id INTO written;
  INSERT INTO governance_entrybody (entry_id, body, salt) VALUES (written, told, salt);
END $$;
REVOKE EXECUTE ON FUNCTION plumbline_keep_row(text, text, text, bigint, json, json, json) FROM PUBLIC;

-- What the record keeps of a secret: nobody gets from it to the hash, and one who has the hash can compare.
CREATE FUNCTION plumbline_digest(salt bytea, col text, secret text) RETURNS bytea LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT plumbline_hmac(salt, convert_to(col || ':' || secret, 'UTF8'))
$$;
REVOKE EXECUTE ON FUNCTION plumbline_digest(bytea, text, text) FROM PUBLIC;
"""

# A row that is entered again after an erasure brings its digests: the erasure itself may have changed the hash.
STANDS = "INTO stands USING row_key, secret;"
STANDS_TOO = STANDS + """
  EXECUTE format('SELECT (SELECT json_object_agg(s.key, s.value) FROM jsonb_each_text(to_jsonb(t)) s'
                 ' WHERE s.key = ANY ($2)) FROM %I t WHERE t.%I = $1::%s', place, pk, plumbline_type_of(place, pk))
    INTO hidden USING row_key, secret;"""


def _again() -> tuple[str, str]:
    """plumbline_enter_again as it was made, to go back to, and with the digests."""
    text = importlib.import_module("governance.migrations.0003_erasure").ERASE
    start = text.index("CREATE FUNCTION plumbline_enter_again")
    old = "CREATE OR REPLACE" + text[start + len("CREATE") : text.index("END $$;", start) + len("END $$;")]
    new = old
    for was, becomes in (
        ("SET search_path = public, pg_temp", "SET search_path = pg_catalog, public, pg_temp"),
        ("  stands json;\n", "  stands json;\n  hidden json;\n"),
        (STANDS, STANDS_TOO),
        ("number, stands, stands);", "number, stands, stands, hidden);"),
    ):
        if new.count(was) != 1:
            raise ValueError(f"plumbline_enter_again is not as it was made: {was}")
        new = new.replace(was, becomes)
    return old, new


def _before() -> str:
    """plumbline_keep_row as it was made."""
    text = importlib.import_module("governance.migrations.0002_guards").LEDGER
    start, last = text.index("CREATE FUNCTION plumbline_keep_row"), "json, json) FROM PUBLIC;"
    return text[start : text.index(last, start) + len(last)]


OLD_AGAIN, NEW_AGAIN = _again()
BACK = (
    """
DROP FUNCTION plumbline_keep_row(text, text, text, bigint, json, json, json);
DROP FUNCTION plumbline_digest(bytea, text, text);
"""
    + _before()
    + OLD_AGAIN
)


class Migration(migrations.Migration):
    dependencies = [("governance", "0015_guards")]

    operations = [migrations.RunSQL(KEEP + NEW_AGAIN, BACK)]
