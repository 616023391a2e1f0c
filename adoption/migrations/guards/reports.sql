-- Reports: of people on behaviour, of users on problems, of the monitoring.

CREATE FUNCTION plumbline_guard_report() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  before jsonb := to_jsonb(OLD);
  free text[] := ARRAY['ended_at', 'ended_why'];
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'Plumbline: a report is kept; judge it instead.' USING ERRCODE = 'PL072';
  END IF;
  IF before ->> 'ended_at' IS NOT NULL THEN
    RAISE EXCEPTION 'Plumbline: a report that is over stands as it is.'
      USING ERRCODE = 'PL072', HINT = 'Report it anew if it comes back.';
  END IF;
  IF OLD.judged_at IS NULL THEN
    free := free || ARRAY['answer', 'judged_by_id', 'judged_at', 'incident_id', 'behaviour_report_id'];
  END IF;
  IF before ->> 'computed' = 'true' THEN
    free := free || ARRAY['share', 'extent', 'words', 'figures', 'observed_on'];
  END IF;
  IF to_jsonb(NEW) - free IS DISTINCT FROM before - free THEN
    RAISE EXCEPTION 'Plumbline: what was reported stays as it was reported, and so does what became of it.'
      USING ERRCODE = 'PL072', HINT = 'Report it anew, or work on the incident.';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER behaviour_reports_stand BEFORE DELETE OR UPDATE ON adoption_behaviourreport
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_report();
CREATE TRIGGER incident_drafts_stand BEFORE DELETE OR UPDATE ON adoption_incidentdraft
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_report();
CREATE TRIGGER problem_reports_stand BEFORE DELETE OR UPDATE ON adoption_problemreport
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_report();
