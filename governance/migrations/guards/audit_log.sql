-- What the audit log takes in, and what keeps its rows as they were written.

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

CREATE FUNCTION plumbline_salt() RETURNS bytea
  LANGUAGE sql AS $$SELECT uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())$$;

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

CREATE FUNCTION plumbline_reference(number bigint) RETURNS text
  LANGUAGE sql IMMUTABLE AS $$SELECT 'AI-' || lpad(number::text, greatest(4, length(number::text)), '0')$$;

-- The change of one row, as an entry. Called by the triggers of governance.capture alone.
CREATE FUNCTION plumbline_keep_row(place text, row_key text, sign text, number bigint, old_row json, new_row json, secrets json DEFAULT NULL::json, exchanged json DEFAULT NULL::json) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  act json := plumbline_act(place);
  salt bytea := plumbline_salt();
  digests json := (SELECT json_object_agg(s.key, encode(plumbline_digest(salt, s.key, s.value), 'hex'))
                     FROM json_each_text(secrets) s);
  told bytea := convert_to(CASE WHEN digests IS NULL THEN json_build_object(
    'kind', 'row', 'table', place, 'key', row_key, 'operation', sign, 'at', act->>'at',
    'actor', json_build_object('id', act->'id', 'name', act->>'name'), 'reason', act->>'reason',
    'before', old_row, 'after', new_row, 'rules', 1)
  WHEN exchanged IS NULL THEN json_build_object(
    'kind', 'row', 'table', place, 'key', row_key, 'operation', sign, 'at', act->>'at',
    'actor', json_build_object('id', act->'id', 'name', act->>'name'), 'reason', act->>'reason',
    'before', old_row, 'after', new_row, 'rules', 1, 'secrets', digests)
  ELSE json_build_object(
    'kind', 'row', 'table', place, 'key', row_key, 'operation', sign, 'at', act->>'at',
    'actor', json_build_object('id', act->'id', 'name', act->>'name'), 'reason', act->>'reason',
    'before', old_row, 'after', new_row, 'rules', 1, 'secrets', digests,
    'exchanged', exchanged) END::text, 'UTF8');
  written bigint;
BEGIN
  INSERT INTO governance_entry
    (kind, actor_id, initiative_ref, "table", key, operation, request_id, at, digest)
  VALUES ('row', (act->>'id')::bigint, coalesce(plumbline_reference(number), ''), place, row_key, sign,
    coalesce(act->>'request', ''), (act->>'at')::timestamptz, plumbline_hmac(salt, told))
  RETURNING id INTO written;
  INSERT INTO governance_entrybody (entry_id, body, salt) VALUES (written, told, salt);
END $$;
REVOKE EXECUTE ON FUNCTION plumbline_keep_row(text, text, text, bigint, json, json, json, json) FROM PUBLIC;

-- Acts, one for each body, in their order: what governance.audit_log.entries calls. Returns their ids.
CREATE FUNCTION plumbline_record(act_kind text, actor bigint, behalf bigint, request text, moment timestamptz, refs text[], bodies bytea[]) RETURNS SETOF bigint
  LANGUAGE plpgsql SECURITY DEFINER AS $$
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
    RAISE EXCEPTION 'Plumbline: only the owner of the audit log says that something was erased.' USING ERRCODE = 'PL023';
  END IF;
  RETURN QUERY
    WITH told AS MATERIALIZED (
      SELECT nextval(place) AS id, ref, body, plumbline_salt() AS salt
        FROM unnest(refs, bodies) WITH ORDINALITY AS act(ref, body, n) ORDER BY n
    ), entered AS (
      INSERT INTO governance_entry (id, kind, actor_id, on_behalf_of_id, initiative_ref, "table", key, operation,
                                    request_id, at, digest)
      SELECT told.id, act_kind, actor, behalf, ref, '', '', '', request, moment, plumbline_hmac(salt, body) FROM told
    ), kept AS (
      INSERT INTO governance_entrybody (entry_id, body, salt) SELECT told.id, body, salt FROM told
    )
    SELECT told.id FROM told ORDER BY told.id;
END $$;
REVOKE EXECUTE ON FUNCTION plumbline_record(text, bigint, bigint, text, timestamptz, text[], bytea[]) FROM PUBLIC;

CREATE FUNCTION plumbline_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'Plumbline: % keeps what was written; % is refused.', TG_TABLE_NAME, TG_OP
    USING ERRCODE = 'PL001', HINT = 'Write a new row that corrects or replaces the old one.';
END $$;
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON governance_interaction
  FOR EACH ROW EXECUTE FUNCTION plumbline_refuse_change();
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON governance_outcomereport
  FOR EACH ROW EXECUTE FUNCTION plumbline_refuse_change();
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON governance_policydecision
  FOR EACH ROW EXECUTE FUNCTION plumbline_refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON governance_outcomereport
  FOR EACH STATEMENT EXECUTE FUNCTION plumbline_refuse_change();

-- Rows change as the table GOVERNED of governance.offline.verify states. Arguments: the columns that may change, those that
-- may be written once, those that name who acts, those of them in which the system may name a person, and those after
-- which nothing changes any more. The triggers are made from that table (governance.audit_log.row_capture).
CREATE FUNCTION plumbline_guard_kept() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  told jsonb := to_jsonb(NEW);
  stood jsonb;
  free text[] := TG_ARGV[0]::text[];
  name text;
  actor text;
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'Plumbline: a row of % is kept; it is not deleted.', TG_TABLE_NAME
      USING ERRCODE = 'PL048', HINT = 'End it, or withdraw it.';
  END IF;
  IF TG_OP = 'UPDATE' THEN
    stood := to_jsonb(OLD);
    IF told = stood THEN
      RETURN NEW;
    END IF;
    IF EXISTS (SELECT FROM unnest(TG_ARGV[4]::text[]) c WHERE coalesce(stood ->> c, '') <> '') THEN
      free := '{}';
    ELSE
      free := free || ARRAY(SELECT c FROM unnest(TG_ARGV[1]::text[]) c
                             WHERE coalesce(stood ->> c, 'false') IN ('', 'false'));
    END IF;
    IF told - free IS DISTINCT FROM stood - free THEN
      SELECT key INTO name FROM jsonb_each(told - free) WHERE value IS DISTINCT FROM stood -> key ORDER BY key LIMIT 1;
      RAISE EXCEPTION 'Plumbline: % of % stays as it was written.', name, TG_TABLE_NAME
        USING ERRCODE = 'PL048', HINT = 'End this row, or withdraw it, and add another.';
    END IF;
  END IF;
  FOREACH name IN ARRAY TG_ARGV[2]::text[] LOOP
    IF told ->> name IS NULL OR told -> name IS NOT DISTINCT FROM stood -> name THEN
      CONTINUE;
    END IF;
    actor := plumbline_act(TG_TABLE_NAME) ->> 'id';
    IF told ->> name IS DISTINCT FROM actor AND NOT (actor IS NULL AND name = ANY (TG_ARGV[3]::text[])) THEN
      RAISE EXCEPTION 'Plumbline: % of % names who acts.', name, TG_TABLE_NAME
        USING ERRCODE = 'PL048', HINT = 'The person who is named does it.';
    END IF;
  END LOOP;
  RETURN NEW;
END $$;

-- Arguments: the kinds of acts, one of which stands in this transaction, of whoever changed the row and on its initiative.
CREATE FUNCTION plumbline_guard_acted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (
       SELECT FROM governance_entry e
        WHERE e.xact = plumbline_xact() AND e."table" = ''
          AND (e.kind = 'erased' OR e.kind = ANY (TG_ARGV)
               AND EXISTS (SELECT FROM governance_entry r
                            WHERE r."table" = TG_TABLE_NAME AND r.key = NEW.id::text AND r.xact - plumbline_xact() = 0
                              AND r.actor_id IS NOT DISTINCT FROM e.actor_id
                              AND r.initiative_ref IN ('', e.initiative_ref)))) THEN
    RAISE EXCEPTION 'Plumbline: row % of % changed without its act (%).', NEW.id, TG_TABLE_NAME,
      array_to_string(TG_ARGV, ', ')
      USING ERRCODE = 'PL047', HINT = 'Change it through its action, which records the act in the same transaction.';
  END IF;
  RETURN NULL;
END $$;

-- Rows that only admins change. The system adds them and ends them.
CREATE FUNCTION plumbline_guard_admins() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  who bigint := (plumbline_act(TG_TABLE_NAME)->>'id')::bigint;
BEGIN
  IF who IS NULL AND (TG_OP = 'INSERT'
       OR to_jsonb(NEW) ->> 'ended_at' IS DISTINCT FROM to_jsonb(OLD) ->> 'ended_at') THEN
    RETURN NEW;
  END IF;
  IF NOT EXISTS (SELECT FROM governance_user WHERE id = who AND is_active AND is_admin)
     AND (who IS NOT NULL OR EXISTS (SELECT FROM governance_entry WHERE kind = 'review opened')) THEN
    RAISE EXCEPTION 'Plumbline: only an admin changes a row of %.', TG_TABLE_NAME
      USING ERRCODE = 'PL046', HINT = 'Ask an admin.';
  END IF;
  RETURN NEW;
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

CREATE FUNCTION plumbline_key_of(place text) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT a.attname::text FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
   WHERE i.indrelid = quote_ident(place)::regclass AND i.indisprimary
$$;

CREATE FUNCTION plumbline_asked(said text) RETURNS tsquery
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$SELECT string_agg('''' || word || ''':*', ' & ')::tsquery FROM unnest(public.plumbline_split(said)) word$$;

-- What the audit log keeps of a secret: nobody gets from it to the hash, and one who has the hash can compare.
CREATE FUNCTION plumbline_digest(salt bytea, col text, secret text) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
  SELECT plumbline_hmac(salt, convert_to(col || ':' || secret, 'UTF8'))
$$;
REVOKE EXECUTE ON FUNCTION plumbline_digest(bytea, text, text) FROM PUBLIC;

CREATE FUNCTION plumbline_initiative_held(integer) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM governance_legalhold WHERE lifted_at IS NULL
                    AND initiative_ref = 'AI-' || lpad($1::text, greatest(4, length($1::text)), '0'))
$$;

-- Whether an act of one of these kinds stands in this transaction, says this fact, and is of someone who changed the
-- row in it. An erasure, which only the owner of the tables records, accounts for every row.
CREATE FUNCTION plumbline_told(kinds text[], fact text, about text, place text, row_key text) RETURNS boolean
  LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT FROM governance_entry e JOIN governance_entrybody b ON b.entry_id = e.id
     WHERE e.xact = plumbline_xact() AND e."table" = '' AND e.kind = ANY (kinds || 'erased'::text)
       AND (e.kind = 'erased' OR
            CASE WHEN fact = '' THEN true
                 WHEN position(convert_to('"' || fact || '":' || about, 'UTF8') IN b.body) > 0
                 THEN convert_from(b.body, 'UTF8')::jsonb #>> ARRAY['facts', fact] = about
                 ELSE false END
            AND EXISTS (SELECT FROM governance_entry r
                         WHERE r."table" = place AND r.key = row_key AND r.xact - plumbline_xact() = 0
                           AND r.actor_id IS NOT DISTINCT FROM e.actor_id)))
$$;

-- Arguments: the fact of the act ('' for none), the column that it repeats, and the kinds of acts.
CREATE FUNCTION plumbline_guard_told() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  told jsonb := to_jsonb(NEW);
BEGIN
  IF NOT plumbline_told(TG_ARGV[2:], TG_ARGV[0], coalesce(told ->> TG_ARGV[1], ''), TG_TABLE_NAME, told ->> 'id') THEN
    RAISE EXCEPTION 'Plumbline: row % of % changed without its act (%).',
      told ->> 'id', TG_TABLE_NAME, array_to_string(TG_ARGV[2:], ', ')
      USING ERRCODE = 'PL047', HINT = 'Change it through its action, which records the act in the same transaction.';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER has_its_act_active AFTER UPDATE ON governance_user
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((OLD.is_active IS DISTINCT FROM NEW.is_active))
  EXECUTE FUNCTION plumbline_guard_told('person_id', 'id', 'account deactivated', 'account reactivated');
CREATE CONSTRAINT TRIGGER has_its_act_added AFTER INSERT ON governance_authenticatorapp
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  EXECUTE FUNCTION plumbline_guard_told('person_id', 'person_id', 'authenticator app added');
CREATE CONSTRAINT TRIGGER has_its_act_added AFTER INSERT ON governance_directory
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION plumbline_guard_told('', 'id', 'directory added');
CREATE CONSTRAINT TRIGGER has_its_act_added AFTER INSERT ON governance_identityprovider
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION plumbline_guard_told('', 'id', 'identity provider added');
CREATE CONSTRAINT TRIGGER has_its_act_added AFTER INSERT ON governance_passkey
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  EXECUTE FUNCTION plumbline_guard_told('person_id', 'person_id', 'passkey added');
CREATE CONSTRAINT TRIGGER has_its_act_added AFTER INSERT ON governance_user
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION plumbline_guard_told('person_id', 'id', 'account added');
CREATE CONSTRAINT TRIGGER has_its_act_asked AFTER INSERT ON governance_factorreset
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  EXECUTE FUNCTION plumbline_guard_told('person_id', 'person_id', 'reset of factors asked for');
CREATE CONSTRAINT TRIGGER has_its_act_changed AFTER UPDATE ON governance_directory
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (((OLD.secret_hash IS DISTINCT FROM NEW.secret_hash) OR (OLD.revoked_at IS DISTINCT FROM NEW.revoked_at)))
  EXECUTE FUNCTION plumbline_guard_told('', 'id', 'key of a directory renewed', 'key of a directory revoked');
CREATE CONSTRAINT TRIGGER has_its_act_changed AFTER UPDATE ON governance_identityprovider
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (((OLD.client_id IS DISTINCT FROM NEW.client_id) OR (OLD.secret_box IS DISTINCT FROM NEW.secret_box) OR (OLD.switched_on IS DISTINCT FROM NEW.switched_on) OR (OLD.makes_people IS DISTINCT FROM NEW.makes_people)))
  EXECUTE FUNCTION plumbline_guard_told('', 'id', 'identity provider changed');
CREATE CONSTRAINT TRIGGER has_its_act_cleared AFTER UPDATE ON governance_sameperson
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((OLD.cleared_at IS DISTINCT FROM NEW.cleared_at))
  EXECUTE FUNCTION plumbline_guard_told('one_id', 'one_id', 'pair of accounts cleared');
CREATE CONSTRAINT TRIGGER has_its_act_confirmed AFTER UPDATE ON governance_membership
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((OLD.confirmed_by_id IS DISTINCT FROM NEW.confirmed_by_id))
  EXECUTE FUNCTION plumbline_guard_told('person_id', 'person_id', 'seat confirmed');
CREATE CONSTRAINT TRIGGER has_its_act_confirmed AFTER UPDATE ON governance_passkey
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((OLD.confirmed_by_id IS DISTINCT FROM NEW.confirmed_by_id))
  EXECUTE FUNCTION plumbline_guard_told('person_id', 'person_id', 'passkey confirmed');
CREATE CONSTRAINT TRIGGER has_its_act_done AFTER UPDATE ON governance_factorreset
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((OLD.done_at IS DISTINCT FROM NEW.done_at))
  EXECUTE FUNCTION plumbline_guard_told('person_id', 'person_id', 'factors reset');
CREATE CONSTRAINT TRIGGER has_its_act_ended AFTER UPDATE ON governance_authenticatorapp
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((OLD.ended_at IS DISTINCT FROM NEW.ended_at))
  EXECUTE FUNCTION plumbline_guard_told('person_id', 'person_id', 'authenticator app revoked', 'authenticator app added', 'factors reset');
CREATE CONSTRAINT TRIGGER has_its_act_ended AFTER UPDATE ON governance_externalidentity
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((OLD.ended_at IS DISTINCT FROM NEW.ended_at))
  EXECUTE FUNCTION plumbline_guard_told('person_id', 'person_id', 'external identity revoked');
CREATE CONSTRAINT TRIGGER has_its_act_ended AFTER UPDATE ON governance_membership
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((OLD.ends_at IS DISTINCT FROM NEW.ends_at))
  EXECUTE FUNCTION plumbline_guard_told('person_id', 'person_id', 'seat left');
CREATE CONSTRAINT TRIGGER has_its_act_ended AFTER UPDATE ON governance_passkey
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((OLD.ended_at IS DISTINCT FROM NEW.ended_at))
  EXECUTE FUNCTION plumbline_guard_told('person_id', 'person_id', 'passkey revoked', 'factors reset');
CREATE CONSTRAINT TRIGGER has_its_act_ended AFTER UPDATE ON governance_recoverycode
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((OLD.ended_at IS DISTINCT FROM NEW.ended_at))
  EXECUTE FUNCTION plumbline_guard_told('person_id', 'person_id', 'recovery codes made', 'factors reset');
CREATE CONSTRAINT TRIGGER has_its_act_found AFTER INSERT ON governance_sameperson
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  EXECUTE FUNCTION plumbline_guard_told('one_id', 'one_id', 'pair of accounts found');
CREATE CONSTRAINT TRIGGER has_its_act_granted AFTER INSERT ON governance_membership
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  EXECUTE FUNCTION plumbline_guard_told('person_id', 'person_id', 'appointed');
CREATE CONSTRAINT TRIGGER has_its_act_lifted AFTER UPDATE ON governance_legalhold
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((OLD.lifted_at IS DISTINCT FROM NEW.lifted_at))
  EXECUTE FUNCTION plumbline_guard_told('hold', 'id', 'legal hold lifted');
CREATE CONSTRAINT TRIGGER has_its_act_linked AFTER INSERT ON governance_externalidentity
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  EXECUTE FUNCTION plumbline_guard_told('person_id', 'person_id', 'external identity linked');
CREATE CONSTRAINT TRIGGER has_its_act_made AFTER INSERT ON governance_recoverycode
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  EXECUTE FUNCTION plumbline_guard_told('person_id', 'person_id', 'recovery codes made');
CREATE CONSTRAINT TRIGGER has_its_act_made AFTER INSERT ON governance_signinpolicy
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION plumbline_guard_told('', 'id', 'local accounts switched');
CREATE CONSTRAINT TRIGGER has_its_act_marked AFTER INSERT ON governance_breakglass
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  EXECUTE FUNCTION plumbline_guard_told('person_id', 'person_id', 'break-glass account marked');
CREATE CONSTRAINT TRIGGER has_its_act_opened AFTER INSERT ON governance_legalhold
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION plumbline_guard_told('hold', 'id', 'legal hold opened');
CREATE CONSTRAINT TRIGGER has_its_act_password AFTER UPDATE ON governance_user
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((OLD.password IS DISTINCT FROM NEW.password))
  EXECUTE FUNCTION plumbline_guard_told('person_id', 'id', 'password set', 'password hashed again');
CREATE CONSTRAINT TRIGGER has_its_act_rights AFTER UPDATE ON governance_user
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (((OLD.login IS DISTINCT FROM NEW.login) OR (OLD.email IS DISTINCT FROM NEW.email) OR (OLD.is_admin IS DISTINCT FROM NEW.is_admin) OR (OLD.is_auditor IS DISTINCT FROM NEW.is_auditor) OR (OLD.is_privacy_officer IS DISTINCT FROM NEW.is_privacy_officer)))
  EXECUTE FUNCTION plumbline_guard_told('row_id', 'id', 'user changed', 'account changed');
CREATE CONSTRAINT TRIGGER has_its_act_switched AFTER UPDATE ON governance_signinpolicy
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((OLD.local_accounts IS DISTINCT FROM NEW.local_accounts))
  EXECUTE FUNCTION plumbline_guard_told('', 'id', 'local accounts switched');
CREATE CONSTRAINT TRIGGER has_its_act_used AFTER UPDATE ON governance_recoverycode
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((OLD.used_at IS DISTINCT FROM NEW.used_at))
  EXECUTE FUNCTION plumbline_guard_told('person_id', 'person_id', 'recovery code used');
