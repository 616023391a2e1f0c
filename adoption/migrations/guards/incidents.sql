-- Signals, incidents and their drafts.

CREATE FUNCTION plumbline_guard_signal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  free text[] := ARRAY['answer', 'answered_by_id', 'answered_at', 'ended_at', 'ended_why'];
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'Plumbline: a signal is kept; say that it is over instead.' USING ERRCODE = 'PL072';
  END IF;
  IF OLD.ended_at IS NOT NULL
     OR OLD.answered_at IS NOT NULL AND (NEW.answer, NEW.answered_by_id, NEW.answered_at)
        IS DISTINCT FROM (OLD.answer, OLD.answered_by_id, OLD.answered_at) THEN
    RAISE EXCEPTION 'Plumbline: a signal that is over stands as it is, and so does an answer to one.'
      USING ERRCODE = 'PL072', HINT = 'Report it anew if it comes back.';
  END IF;
  IF OLD.computed THEN
    free := free || ARRAY['share', 'extent', 'words', 'figures', 'observed_on'];
  END IF;
  IF to_jsonb(NEW) - free IS DISTINCT FROM to_jsonb(OLD) - free THEN
    RAISE EXCEPTION 'Plumbline: what was reported stays as it was reported.'
      USING ERRCODE = 'PL072', HINT = 'Say that it is over, and report anew.';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER signals_stand BEFORE DELETE OR UPDATE ON adoption_signal
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_signal();

-- An act that makes a case confidential withdraws its page in the same transaction, after the change of the case.
CREATE FUNCTION plumbline_guard_secrecy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM adoption_publicpage p WHERE p.initiative_id = NEW.id AND p.ended_at IS NULL)
     AND (SELECT i.confidential FROM initiatives_initiative i WHERE i.id = NEW.id) THEN
    RAISE EXCEPTION 'Plumbline: a confidential initiative has no public page.'
      USING ERRCODE = 'PL073', HINT = 'Withdraw the page first.';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER no_public_page_of_a_secret AFTER UPDATE OF confidential ON initiatives_initiative
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.confidential) EXECUTE FUNCTION plumbline_guard_secrecy();

CREATE FUNCTION plumbline_guard_incident_draft() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'Plumbline: a draft of an incident is dismissed, never deleted.' USING ERRCODE = 'PL074';
  END IF;
  IF OLD.state <> 'waiting'
     OR to_jsonb(NEW) - ARRAY['state', 'words', 'treated_by_id', 'treated_at', 'incident_id']
        IS DISTINCT FROM to_jsonb(OLD) - ARRAY['state', 'words', 'treated_by_id', 'treated_at', 'incident_id'] THEN
    RAISE EXCEPTION 'Plumbline: what became of a draft of an incident stands, and so does what it tells of.'
      USING ERRCODE = 'PL074', HINT = 'Work on the incident, or open one.';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER incident_drafts_stand BEFORE DELETE OR UPDATE ON adoption_incidentdraft
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_incident_draft();
