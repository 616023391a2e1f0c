-- Erasure of personal values from history, and legal holds against it.

CREATE FUNCTION plumbline_erase(told bytea, entries bigint[], changes jsonb) RETURNS bigint
  LANGUAGE plpgsql SECURITY DEFINER
  SET timezone TO 'UTC' AS $$
DECLARE
  act json := plumbline_act('governance_entrybody');
  said jsonb := convert_from(told, 'UTF8')::jsonb;
  fences jsonb;
  places text[];
  place text;
  part record;
  done bigint;
BEGIN
  IF said->>'kind' IS DISTINCT FROM 'erased' OR said->'actor'->>'name' IS DISTINCT FROM act->>'name'
     OR (SELECT array_agg(named::bigint ORDER BY named::bigint)
           FROM jsonb_array_elements_text(said->'facts'->'entries') named)
        IS DISTINCT FROM (SELECT array_agg(id ORDER BY id) FROM unnest(entries) id) THEN
    RAISE EXCEPTION 'Plumbline: an erasure tells exactly which entries it erases, and who does it.'
      USING ERRCODE = 'PL030';
  END IF;
  IF EXISTS (SELECT FROM governance_entry WHERE id = ANY (entries) AND kind = 'erased') THEN
    RAISE EXCEPTION 'Plumbline: that something was erased is not erased.' USING ERRCODE = 'PL030';
  END IF;
  SELECT array_agg(DISTINCT change->>'table' ORDER BY change->>'table') INTO places
    FROM jsonb_array_elements(changes) change;
  FOREACH place IN ARRAY coalesce(places, '{}') LOOP
    IF place = ANY (ARRAY['governance_entry', 'governance_entrybody', 'governance_leaf', 'governance_node',
                          'governance_checkpoint', 'governance_sealing', 'governance_timestamp'])
       OR NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
                      AND relname = place) THEN
      RAISE EXCEPTION 'Plumbline: nothing is erased in %.', place USING ERRCODE = 'PL030';
    END IF;
  END LOOP;
  places := places || 'governance_entrybody'::text;

  SET CONSTRAINTS ALL IMMEDIATE;
  SELECT jsonb_agg(jsonb_build_object('place', c.relname, 'name', t.tgname, 'how', CASE t.tgenabled
           WHEN 'R' THEN 'ENABLE REPLICA' WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE' END)) INTO fences
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
   WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND c.relnamespace = 'public'::regnamespace
     AND c.relname = ANY (places);
  FOREACH place IN ARRAY places LOOP
    EXECUTE format('ALTER TABLE %I DISABLE TRIGGER USER', place);
  END LOOP;

  UPDATE governance_entrybody SET body = '', salt = '' WHERE entry_id = ANY (entries);
  GET DIAGNOSTICS done = ROW_COUNT;
  IF done <> coalesce(cardinality(entries), 0) THEN
    RAISE EXCEPTION 'Plumbline: % entries were to be erased, and % are there.', cardinality(entries), done
      USING ERRCODE = 'PL030';
  END IF;
  FOR part IN
    SELECT name, columns, jsonb_agg(change) AS rows
      FROM (SELECT change->>'table' AS name, change, (SELECT array_agg(k ORDER BY k) FROM jsonb_object_keys(change->'set') k)
                   AS columns FROM jsonb_array_elements(changes) change) c
     GROUP BY name, columns ORDER BY name, columns
  LOOP
    EXECUTE format(
      'UPDATE %1$I t SET %2$s FROM (SELECT c->>''key'' AS key, jsonb_populate_record(NULL::%1$I, c->''set'') AS r'
      ' FROM jsonb_array_elements($1) c) n WHERE t.%3$I = n.key::%4$s', part.name,
      (SELECT string_agg(format('%1$I = (n.r).%1$I', k), ', ') FROM unnest(part.columns) k),
      plumbline_key_of(part.name), plumbline_type_of(part.name, plumbline_key_of(part.name))) USING part.rows;
    GET DIAGNOSTICS done = ROW_COUNT;
    IF done <> jsonb_array_length(part.rows) THEN
      RAISE EXCEPTION 'Plumbline: % rows of % were to be erased, and % are there.', jsonb_array_length(part.rows),
        part.name, done USING ERRCODE = 'PL030';
    END IF;
  END LOOP;

  SET CONSTRAINTS ALL IMMEDIATE;
  FOR part IN SELECT * FROM jsonb_to_recordset(coalesce(fences, '[]')) AS f(place text, name text, how text) LOOP
    EXECUTE format('ALTER TABLE %I %s TRIGGER %I', part.place, part.how, part.name);
  END LOOP;
  SET CONSTRAINTS ALL DEFERRED;

  FOR part IN
    SELECT newest."table" AS name, newest.key, newest.initiative_ref FROM (
      SELECT DISTINCT ON (e."table", e.key) e.id, e."table", e.key, e.operation, e.initiative_ref
        FROM governance_entry e
        JOIN (SELECT DISTINCT g."table", g.key FROM governance_entry g
               WHERE g.id = ANY (entries) AND g."table" <> '') touched
          ON touched."table" = e."table" AND touched.key = e.key
       ORDER BY e."table", e.key, e.id DESC) newest
     WHERE newest.id = ANY (entries) AND newest.operation <> '-' ORDER BY 1, 2
  LOOP
    PERFORM plumbline_enter_again(part.name, part.key, nullif(substr(part.initiative_ref, 4), '')::bigint, act);
  END LOOP;
  RETURN (SELECT plumbline_record('erased', (act->>'id')::bigint, NULL, coalesce(act->>'request', ''),
                                  (act->>'at')::timestamptz, ARRAY[''], ARRAY[told]));
END $$;
REVOKE EXECUTE ON FUNCTION plumbline_erase(bytea, bigint[], jsonb) FROM PUBLIC;

-- A row as it stands, told to history and audit log once more.
CREATE FUNCTION plumbline_enter_again(place text, row_key text, number bigint, act json) RETURNS void LANGUAGE plpgsql
  SET timezone TO 'UTC' AS $$
DECLARE
  past text := regexp_replace(place, '_', '_historical');
  governed boolean := to_regclass(quote_ident(past)) IS NOT NULL;
  pk text := plumbline_key_of(place);
  kept text[];
  secret text[];
  stands json;
  hidden json;
BEGIN
  SELECT array_agg(mine.attname::text) FILTER (WHERE NOT governed OR theirs.attname IS NOT NULL),
         coalesce(array_agg(mine.attname::text) FILTER (WHERE governed AND theirs.attname IS NULL), '{}')
    INTO kept, secret
    FROM pg_attribute mine
    LEFT JOIN pg_attribute theirs ON theirs.attrelid = to_regclass(quote_ident(past)) AND theirs.attname = mine.attname
         AND theirs.attnum > 0 AND NOT theirs.attisdropped
   WHERE mine.attrelid = quote_ident(place)::regclass AND mine.attnum > 0 AND NOT mine.attisdropped;
  EXECUTE format('SELECT CASE WHEN $2 = ''{}'' THEN row_to_json(t) ELSE (to_jsonb(t) - $2)::json END FROM %I t'
                 ' WHERE t.%I = $1::%s', place, pk, plumbline_type_of(place, pk)) INTO stands USING row_key, secret;
  EXECUTE format('SELECT (SELECT json_object_agg(s.key, s.value) FROM jsonb_each_text(to_jsonb(t)) s'
                 ' WHERE s.key = ANY ($2)) FROM %I t WHERE t.%I = $1::%s', place, pk, plumbline_type_of(place, pk))
    INTO hidden USING row_key, secret;
  IF stands IS NULL THEN
    RETURN;
  END IF;
  IF governed THEN
    EXECUTE format(
      'INSERT INTO %1$I (%2$s, history_date, history_type, history_user_id, history_user_name, history_change_reason)'
      ' SELECT %2$s, $2, ''~'', $3, $4, $5 FROM %3$I WHERE %4$I = $1::%5$s', past,
      (SELECT string_agg(quote_ident(name), ', ') FROM unnest(kept) name), place, pk, plumbline_type_of(place, pk))
      USING row_key, (act->>'at')::timestamptz, (act->>'id')::bigint, act->>'name', act->>'reason';
  END IF;
  PERFORM plumbline_keep_row(place, row_key, '~', number, stands, stands, hidden);
END $$;
REVOKE EXECUTE ON FUNCTION plumbline_enter_again(text, text, bigint, json) FROM PUBLIC;

CREATE FUNCTION plumbline_type_of(place text, col text) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT format_type(atttypid, NULL) FROM pg_attribute
   WHERE attrelid = quote_ident(place)::regclass AND attname = col
$$;

-- Admins and auditors hold what must be kept.
CREATE FUNCTION plumbline_guard_legal_hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM governance_user WHERE id = (plumbline_act(TG_TABLE_NAME)->>'id')::bigint
                    AND is_active AND (is_admin OR is_auditor)) THEN
    RAISE EXCEPTION 'Plumbline: only admins and auditors open or lift a legal hold.' USING ERRCODE = 'PL046';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER held_by_who_may BEFORE INSERT OR UPDATE ON governance_legalhold
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_legal_hold();
