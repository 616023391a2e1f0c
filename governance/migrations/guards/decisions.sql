-- Decisions of contracts and their reported outcomes: written once.

CREATE FUNCTION plumbline_decisions_of(moment timestamptz) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET "TimeZone" TO 'UTC' AS $$
DECLARE
  month date := date_trunc('month', moment)::date;
  place text := 'governance_policydecision_' || to_char(month, 'YYYY_MM');
BEGIN
  IF to_regclass('public.' || place) IS NULL THEN
    PERFORM pg_advisory_xact_lock(hashtext('plumbline decisions'));
    IF to_regclass('public.' || place) IS NULL THEN
      EXECUTE format('CREATE TABLE public.%I PARTITION OF public.governance_policydecision FOR VALUES FROM (%L) TO (%L)',
                     place, month::timestamptz, (month + interval '1 month')::timestamptz);
      PERFORM plumbline_never_emptied(place);
    END IF;
  END IF;
END $$;
REVOKE EXECUTE ON FUNCTION plumbline_decisions_of(timestamptz) FROM PUBLIC;

CREATE FUNCTION plumbline_guard_outcome() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM public.governance_outcomereport o
                  WHERE o.decision = NEW.decision AND o.kind = 'done') THEN
    RAISE EXCEPTION 'Plumbline: only what was reported as done can be undone.'
      USING ERRCODE = 'PL053', HINT = 'Report it as done first.';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER undone_after_done AFTER INSERT ON governance_outcomereport
  FOR EACH ROW WHEN ((NEW.kind = 'undone')) EXECUTE FUNCTION plumbline_guard_outcome();
