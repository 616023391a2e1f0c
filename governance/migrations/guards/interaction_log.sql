-- The interaction log: its months, its keys and their end.

CREATE FUNCTION plumbline_interactions_of(moment timestamptz) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET "TimeZone" TO 'UTC' AS $$
DECLARE
  month date := date_trunc('month', moment)::date;
  place text := 'governance_interaction_' || to_char(month, 'YYYY_MM');
BEGIN
  IF to_regclass('public.' || place) IS NULL THEN
    PERFORM pg_advisory_xact_lock(hashtext('plumbline interactions'));
    IF to_regclass('public.' || place) IS NULL THEN
      EXECUTE format('CREATE TABLE public.%I PARTITION OF public.governance_interaction FOR VALUES FROM (%L) TO (%L)',
                     place, month::timestamptz, (month + interval '1 month')::timestamptz);
      PERFORM plumbline_never_emptied(place);
    END IF;
  END IF;
END $$;
REVOKE EXECUTE ON FUNCTION plumbline_interactions_of(timestamptz) FROM PUBLIC;

CREATE FUNCTION plumbline_guard_interaction_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND (NEW.id, NEW.holder, NEW.month, NEW.initiative_number)
                          IS DISTINCT FROM (OLD.id, OLD.holder, OLD.month, OLD.initiative_number) THEN
    RAISE EXCEPTION 'Plumbline: the key of bodies keeps its row.'
      USING ERRCODE = 'PL054', HINT = 'Destroy what it wraps.';
  END IF;
  IF TG_OP = 'DELETE' AND timezone('UTC', (OLD.month || '-01')::date + interval '1 month' + interval '730 days')
                          > plumbline_now() THEN
    RAISE EXCEPTION 'Plumbline: the key of bodies keeps its row for 730 days after its month.'
      USING ERRCODE = 'PL054', HINT = 'Destroy what it wraps.';
  END IF;
  IF TG_OP = 'UPDATE' AND OLD.wrapped IS NULL THEN
    RAISE EXCEPTION 'Plumbline: a key that was destroyed stays destroyed.'
      USING ERRCODE = 'PL054', HINT = 'Make another.';
  END IF;
  IF OLD.wrapped IS NOT NULL AND (TG_OP = 'DELETE' OR NEW.wrapped IS NULL) AND
     (plumbline_initiative_held(OLD.initiative_number) OR OLD.initiative_number IS NULL
      AND EXISTS (SELECT FROM (SELECT DISTINCT initiative_number FROM governance_interaction
                                WHERE holder_key = OLD.id) used
                   WHERE plumbline_initiative_held(used.initiative_number))) THEN
    RAISE EXCEPTION 'Plumbline: a legal hold keeps this key.'
      USING ERRCODE = 'PL055', HINT = 'Lift the hold first, where it may be lifted.';
  END IF;
  IF TG_OP = 'DELETE' THEN
    RETURN OLD;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER destroyed_stays_destroyed BEFORE DELETE OR UPDATE ON governance_interactionkey
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_interaction_key();

CREATE FUNCTION plumbline_expire_interactions(month date, subjects bytea[], conversations bytea[]) RETURNS TABLE(gone bigint, leaves bigint, keys bigint)
  LANGUAGE plpgsql SECURITY DEFINER
    SET "TimeZone" TO 'UTC' AS $$
DECLARE
  place text := 'governance_interaction_' || to_char(month, 'YYYY_MM');
  old text := place || '_expired';
  following date := (month + interval '1 month')::date;
  initiatives integer[];
  batches bigint[];
  living bigint[];
  keeps text := '(initiative_number = ANY ($1) OR coalesce(subject = ANY ($2), false)'
                ' OR coalesce(conversation = ANY ($3), false))';
BEGIN
  IF month <> date_trunc('month', month)::date
     OR following::timestamptz + interval '730 days' > plumbline_now() THEN
    RAISE EXCEPTION 'Plumbline: interactions are kept for 730 days after their month.' USING ERRCODE = 'PL056';
  END IF;
  gone := 0; leaves := 0; keys := 0;
  PERFORM pg_advisory_xact_lock(hashtext('plumbline interactions'));
  IF to_regclass('public.' || place) IS NOT NULL THEN
    EXECUTE format('SELECT coalesce(array_agg(number), ''{}'') FROM (SELECT DISTINCT initiative_number AS number'
                   ' FROM public.%I) known WHERE plumbline_initiative_held(number)', place) INTO initiatives;
    EXECUTE format('SELECT count(*) FROM public.%I WHERE NOT ' || keeps, place)
      INTO gone USING initiatives, subjects, conversations;
  END IF;
  IF gone > 0 THEN
    EXECUTE format('ALTER TABLE public.governance_interaction DETACH PARTITION public.%I', place);
    EXECUTE format('ALTER TABLE public.%I RENAME TO %I', place, old);
    EXECUTE format('SELECT array_agg(DISTINCT batch_id) FROM public.%I', old) INTO batches;
    EXECUTE format('SELECT count(*) FROM public.%I WHERE ' || keeps, old)
      INTO leaves USING initiatives, subjects, conversations;
    IF leaves > 0 THEN
      PERFORM plumbline_interactions_of(month::timestamptz);
      EXECUTE format('INSERT INTO public.governance_interaction SELECT * FROM public.%I WHERE ' || keeps, old)
        USING initiatives, subjects, conversations;
    END IF;
    SELECT coalesce(array_agg(b.id), '{}') INTO living FROM governance_interactionbatch b
     WHERE b.id = ANY (batches) AND EXISTS (SELECT FROM governance_interaction i
                                             WHERE i.batch_id = b.id AND i.at BETWEEN b.first_at AND b.last_at);
    EXECUTE format('INSERT INTO public.governance_interactiondigest (batch_id, place, digest, month)'
                   ' SELECT batch_id, place, digest, $4 FROM public.%I'
                   ' WHERE batch_id = ANY ($5) AND NOT ' || keeps, old)
      USING initiatives, subjects, conversations, to_char(month, 'YYYY-MM'), living;
    GET DIAGNOSTICS leaves = ROW_COUNT;
    DELETE FROM governance_interactiondigest WHERE batch_id = ANY (batches) AND NOT batch_id = ANY (living);
    EXECUTE format('DROP TABLE public.%I', old);
  END IF;
  DELETE FROM governance_interactionkey k
   WHERE k.month = to_char(plumbline_expire_interactions.month, 'YYYY-MM')
     AND (k.initiative_number IS NULL OR NOT plumbline_initiative_held(k.initiative_number))
     AND NOT EXISTS (SELECT FROM governance_interaction i WHERE i.holder_key = k.id
                        AND i.at BETWEEN plumbline_expire_interactions.month - interval '2 days'
                                     AND following + interval '2 days');
  GET DIAGNOSTICS keys = ROW_COUNT;
  RETURN NEXT;
END $$;
REVOKE EXECUTE ON FUNCTION plumbline_expire_interactions(date, bytea[], bytea[]) FROM PUBLIC;

CREATE FUNCTION plumbline_bodies_of(received date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET "TimeZone" TO 'UTC' AS $$
DECLARE
  month date := date_trunc('month', received)::date;
  place text := 'governance_interactionbody_' || to_char(month, 'YYYY_MM');
BEGIN
  IF to_regclass('public.' || place) IS NULL THEN
    PERFORM pg_advisory_xact_lock(hashtext('plumbline interactions'));
    IF to_regclass('public.' || place) IS NULL THEN
      EXECUTE format('CREATE TABLE public.%I PARTITION OF public.governance_interactionbody FOR VALUES FROM (%L) TO (%L)',
                     place, month, (month + interval '1 month')::date);
      PERFORM plumbline_never_emptied(place);
    END IF;
  END IF;
END $$;
REVOKE EXECUTE ON FUNCTION plumbline_bodies_of(date) FROM PUBLIC;

CREATE TRIGGER append_only BEFORE UPDATE ON governance_interactionbody
  FOR EACH ROW EXECUTE FUNCTION plumbline_refuse_change();
CREATE TRIGGER kept_for_its_time BEFORE DELETE ON governance_interactionbody
  FOR EACH ROW WHEN (OLD.day > timezone('UTC', plumbline_now())::date - 183)
  EXECUTE FUNCTION plumbline_refuse_change();

-- Bodies go that came in on the day `through` or before, 183 days ago at least. What a hold keeps stays: all of its
-- initiative, and of a person what lies under these pseudonyms.
CREATE FUNCTION plumbline_expire_bodies(through date, subjects bytea[], conversations bytea[])
  RETURNS TABLE(number integer, gone bigint) LANGUAGE plpgsql SECURITY DEFINER
    SET "TimeZone" TO 'UTC' AS $$
DECLARE
  held integer[];
  place text;
  empty boolean;
BEGIN
  IF through IS NULL OR through > plumbline_now()::date - 183 THEN
    RAISE EXCEPTION 'Plumbline: bodies are kept for 183 days at least.' USING ERRCODE = 'PL056';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('plumbline interactions'));
  SELECT coalesce(array_agg(known.number), '{}') INTO held
    FROM (SELECT DISTINCT b.initiative_number AS number FROM governance_interactionbody b WHERE b.day <= through) known
   WHERE plumbline_initiative_held(known.number);
  RETURN QUERY
    WITH kept AS MATERIALIZED (
      SELECT i.batch_id, i.place FROM governance_interaction i WHERE i.subject = ANY (subjects)
      UNION
      SELECT i.batch_id, i.place FROM governance_interaction i
       WHERE cardinality(conversations) > 0 AND i.conversation = ANY (conversations)
    ), old AS (
      DELETE FROM governance_interactionbody b
       WHERE b.day <= through AND NOT b.initiative_number = ANY (held)
         AND (b.batch_id, b.place) NOT IN (SELECT kept.batch_id, kept.place FROM kept)
      RETURNING b.initiative_number
    )
    SELECT old.initiative_number, count(*) FROM old GROUP BY old.initiative_number;
  FOR place IN SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                WHERE i.inhparent = 'public.governance_interactionbody'::regclass
                  AND c.relname < 'governance_interactionbody_' || to_char(through, 'YYYY_MM') LOOP
    EXECUTE format('SELECT NOT EXISTS (SELECT FROM public.%I)', place) INTO empty;
    IF empty THEN
      EXECUTE format('DROP TABLE public.%I', place);
    END IF;
  END LOOP;
END $$;
REVOKE EXECUTE ON FUNCTION plumbline_expire_bodies(date, bytea[], bytea[]) FROM PUBLIC;
