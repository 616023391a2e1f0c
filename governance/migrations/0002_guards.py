"""What the database refuses by itself, whoever asks: changes of the record, of published rules, of signed contracts."""

from django.db import migrations

# How an entry comes to be. Nobody but these functions, which run as their owner, writes into the ledger; the salt of a
# body is drawn here, and its digest made here, so that nobody chooses either. HMAC-SHA256 is written out, because the
# server brings sha256() and nothing else without an extension; 0x3636... and 0x5c5c... are its two pads.
LEDGER = """
CREATE FUNCTION plumbline_hmac(salt bytea, body bytea) RETURNS bytea LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
  hex text := encode(salt, 'hex');
  a bigint := ('x' || substr(hex, 1, 16))::bit(64)::bigint;
  b bigint := ('x' || substr(hex, 17, 16))::bit(64)::bigint;
  c bigint := ('x' || substr(hex, 33, 16))::bit(64)::bigint;
  d bigint := ('x' || substr(hex, 49, 16))::bit(64)::bigint;
  i bigint := 3906369333256140342;
  o bigint := 6655295901103053916;
BEGIN
  IF length(salt) <> 32 THEN
    RAISE EXCEPTION 'Plumbline: a salt has 32 bytes, not %.', length(salt);
  END IF;
  RETURN sha256(int8send(a # o) || int8send(b # o) || int8send(c # o) || int8send(d # o)
    || decode(repeat('5c', 32), 'hex')
    || sha256(int8send(a # i) || int8send(b # i) || int8send(c # i) || int8send(d # i)
              || decode(repeat('36', 32), 'hex') || body));
END $$;

CREATE FUNCTION plumbline_salt() RETURNS bytea LANGUAGE sql VOLATILE AS
  'SELECT uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())';

-- Who acts in this transaction, as `history.acting` said; nobody: no write.
CREATE FUNCTION plumbline_act(place text) RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE
  act json := nullif(current_setting('plumbline.act', true), '')::json;
BEGIN
  IF coalesce(act->>'name', '') = '' THEN
    RAISE EXCEPTION 'Plumbline: a row of % would be written by nobody.', place
      USING ERRCODE = 'PL020', HINT = 'Do it through an action, or inside history.acting(by=..., reason=...).';
  END IF;
  RETURN act;
END $$;

CREATE FUNCTION plumbline_reference(number bigint) RETURNS text LANGUAGE sql IMMUTABLE AS
  $$SELECT 'AI-' || lpad(number::text, greatest(4, length(number::text)), '0')$$;

-- The change of one row, as an entry. Called by the triggers of governance.capture alone.
CREATE FUNCTION plumbline_keep_row(place text, row_key text, sign text, number bigint, old_row json, new_row json)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  act json := plumbline_act(place);
  salt bytea := plumbline_salt();
  told bytea := convert_to(json_build_object(
    'kind', 'row', 'table', place, 'key', row_key, 'operation', sign, 'at', act->>'at',
    'actor', json_build_object('id', act->'id', 'name', act->>'name'), 'reason', act->>'reason',
    'before', old_row, 'after', new_row)::text, 'UTF8');
  written bigint;
BEGIN
  INSERT INTO governance_entry
    (kind, actor_id, case_ref, "table", key, operation, request_id, at, digest)
  VALUES ('row', (act->>'id')::bigint, coalesce(plumbline_reference(number), ''), place, row_key, sign,
    coalesce(act->>'request', ''), (act->>'at')::timestamptz, plumbline_hmac(salt, told))
  RETURNING id INTO written;
  INSERT INTO governance_entrybody (entry_id, body, salt) VALUES (written, told, salt);
END $$;
REVOKE EXECUTE ON FUNCTION plumbline_keep_row(text, text, text, bigint, json, json) FROM PUBLIC;

-- Acts, one for each body, in their order: what governance.ledger.record calls. Returns their ids.
CREATE FUNCTION plumbline_record(act_kind text, actor bigint, behalf bigint, request text, moment timestamptz,
                                 refs text[], bodies bytea[])
RETURNS SETOF bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  place text := pg_get_serial_sequence('governance_entry', 'id');
BEGIN
  PERFORM plumbline_act('governance_entry');
  PERFORM pg_current_xact_id();  -- before an id is drawn: the sealer relies on it
  IF act_kind IN ('', 'row') THEN
    RAISE EXCEPTION 'Plumbline: an act has a kind of its own, not %.', quote_literal(act_kind)
      USING ERRCODE = 'PL023';
  END IF;
  IF act_kind = 'erased' AND NOT pg_has_role(session_user, current_user, 'member') THEN
    RAISE EXCEPTION 'Plumbline: only the owner of the record says that something was erased.' USING ERRCODE = 'PL023';
  END IF;
  RETURN QUERY
    WITH told AS MATERIALIZED (
      SELECT nextval(place) AS id, ref, body, plumbline_salt() AS salt
        FROM unnest(refs, bodies) WITH ORDINALITY AS act(ref, body, n) ORDER BY n
    ), entered AS (
      INSERT INTO governance_entry (id, kind, actor_id, on_behalf_of_id, case_ref, "table", key, operation,
                                    request_id, at, digest)
      SELECT told.id, act_kind, actor, behalf, ref, '', '', '', request, moment, plumbline_hmac(salt, body) FROM told
    ), kept AS (
      INSERT INTO governance_entrybody (entry_id, body, salt) SELECT told.id, body, salt FROM told
    )
    SELECT told.id FROM told ORDER BY told.id;
END $$;
REVOKE EXECUTE ON FUNCTION plumbline_record(text, bigint, bigint, text, timestamptz, text[], bytea[]) FROM PUBLIC;
"""

NO_LEDGER = """
DROP FUNCTION plumbline_record(text, bigint, bigint, text, timestamptz, text[], bytea[]);
DROP FUNCTION plumbline_keep_row(text, text, text, bigint, json, json);
DROP FUNCTION plumbline_reference(bigint);
DROP FUNCTION plumbline_act(text);
DROP FUNCTION plumbline_salt();
DROP FUNCTION plumbline_hmac(bytea, bytea);
"""

GUARDS = """
CREATE FUNCTION plumbline_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'Plumbline: % keeps what was written; % is refused.', TG_TABLE_NAME, TG_OP
    USING ERRCODE = 'PL001', HINT = 'Write a new row that corrects or replaces the old one.';
END $$;

CREATE FUNCTION plumbline_append_only(place text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I '
                 'FOR EACH ROW EXECUTE FUNCTION plumbline_refuse_change()', place);
  PERFORM plumbline_never_emptied(place);
END $$;

CREATE FUNCTION plumbline_never_emptied(place text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE OR REPLACE TRIGGER never_emptied BEFORE TRUNCATE ON %I '
                 'FOR EACH STATEMENT EXECUTE FUNCTION plumbline_refuse_change()', place);
END $$;

CREATE FUNCTION plumbline_guard_rulebook() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.published_at IS NOT NULL THEN
    RAISE EXCEPTION 'Plumbline: rulebook % is published and does not change.', OLD.version
      USING ERRCODE = 'PL002', HINT = 'Load the changed text under a new version.';
  END IF;
  IF TG_OP = 'UPDATE' AND (NEW.source, NEW.digest, NEW.version) IS DISTINCT FROM (OLD.source, OLD.digest, OLD.version) THEN
    RAISE EXCEPTION 'Plumbline: the text of rulebook % does not change once loaded.', OLD.version
      USING ERRCODE = 'PL002', HINT = 'Load the changed text under a new version.';
  END IF;
  RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER rulebook_is_immutable BEFORE UPDATE OR DELETE ON governance_rulebook
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_rulebook();

CREATE FUNCTION plumbline_guard_rulebook_part() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM governance_rulebook WHERE published_at IS NOT NULL
             AND id = CASE WHEN TG_OP = 'INSERT' THEN NEW.rulebook_id ELSE OLD.rulebook_id END) THEN
    RAISE EXCEPTION 'Plumbline: a published rulebook does not change; % on % is refused.', TG_OP, TG_TABLE_NAME
      USING ERRCODE = 'PL002', HINT = 'Load the changed text under a new version.';
  END IF;
  RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER part_of_immutable BEFORE INSERT OR UPDATE OR DELETE ON governance_gate
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_rulebook_part();
CREATE TRIGGER part_of_immutable BEFORE INSERT OR UPDATE OR DELETE ON governance_criterion
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_rulebook_part();
CREATE TRIGGER part_of_immutable BEFORE INSERT OR UPDATE OR DELETE ON governance_requirement
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_rulebook_part();

CREATE FUNCTION plumbline_guard_contract() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'Plumbline: contract versions are kept.' USING ERRCODE = 'PL003';
  END IF;
  IF (NEW.contract_id, NEW.number, NEW.author_id) IS DISTINCT FROM (OLD.contract_id, OLD.number, OLD.author_id) THEN
    RAISE EXCEPTION 'Plumbline: a contract version keeps its number and author.' USING ERRCODE = 'PL003';
  END IF;
  IF OLD.state IN ('in_force', 'superseded')
     AND (NEW.digest, NEW.starts_at) IS DISTINCT FROM (OLD.digest, OLD.starts_at) THEN
    RAISE EXCEPTION 'Plumbline: a contract version that was put in force does not change.'
      USING ERRCODE = 'PL003', HINT = 'Write the next version.';
  END IF;
  IF (OLD.state, NEW.state) NOT IN (('draft','draft'), ('draft','in_review'), ('in_review','in_review'),
     ('in_review','draft'), ('in_review','in_force'), ('in_force','in_force'), ('in_force','superseded'),
     ('superseded','superseded')) THEN
    RAISE EXCEPTION 'Plumbline: a contract version does not go from % to %.', OLD.state, NEW.state
      USING ERRCODE = 'PL003';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER contract_version_is_fixed BEFORE UPDATE OR DELETE ON governance_contractversion
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_contract();

CREATE FUNCTION plumbline_guard_clause() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM governance_contractversion WHERE state <> 'draft'
             AND id IN (CASE WHEN TG_OP = 'DELETE' THEN OLD.version_id ELSE NEW.version_id END,
                        CASE WHEN TG_OP = 'INSERT' THEN NEW.version_id ELSE OLD.version_id END)) THEN
    RAISE EXCEPTION 'Plumbline: the clauses of a contract version are fixed once it leaves draft.'
      USING ERRCODE = 'PL003', HINT = 'Write the next version.';
  END IF;
  RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER clause_is_fixed BEFORE INSERT OR UPDATE OR DELETE ON governance_clause
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_clause();
"""

NO_GUARDS = """
DROP TRIGGER rulebook_is_immutable ON governance_rulebook;
DROP TRIGGER part_of_immutable ON governance_gate;
DROP TRIGGER part_of_immutable ON governance_criterion;
DROP TRIGGER part_of_immutable ON governance_requirement;
DROP TRIGGER contract_version_is_fixed ON governance_contractversion;
DROP TRIGGER clause_is_fixed ON governance_clause;
DROP FUNCTION plumbline_guard_clause();
DROP FUNCTION plumbline_guard_contract();
DROP FUNCTION plumbline_guard_rulebook_part();
DROP FUNCTION plumbline_guard_rulebook();
DROP FUNCTION plumbline_append_only(text);
DROP FUNCTION plumbline_never_emptied(text);
DROP FUNCTION plumbline_refuse_change() CASCADE;
"""


class Migration(migrations.Migration):
    dependencies = [("governance", "0001_initial")]

    operations = [migrations.RunSQL(LEDGER, NO_LEDGER), migrations.RunSQL(GUARDS, NO_GUARDS)]
