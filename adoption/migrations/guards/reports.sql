-- Reports: of people on behaviour, of users on problems, of the monitoring.

-- Only what the monitoring reported is worked out anew. The incident of a report is named by its judgement.
CREATE FUNCTION plumbline_guard_report() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT OLD.computed AND (NEW.share, NEW.extent, NEW.words, NEW.figures, NEW.observed_on)
       IS DISTINCT FROM (OLD.share, OLD.extent, OLD.words, OLD.figures, OLD.observed_on)
     OR OLD.judged_at IS NOT NULL AND NEW.incident_id IS DISTINCT FROM OLD.incident_id THEN
    RAISE EXCEPTION 'Plumbline: what was reported stays as it was reported, and so does what became of it.'
      USING ERRCODE = 'PL072', HINT = 'Report it anew, or work on the incident.';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER behaviour_reports_stand BEFORE UPDATE ON adoption_behaviourreport
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_report();
