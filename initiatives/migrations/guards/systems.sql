-- What depends on an initiative, and what stands alone.

-- The answer of an executive stays, whichever it was (S2-13).
CREATE FUNCTION plumbline_guard_dependant() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF coalesce(OLD.confirmed_at, OLD.declined_at) IS NOT NULL
     AND (NEW.confirmed_at, NEW.declined_at, NEW.declined_reason, NEW.statement_id)
         IS DISTINCT FROM (OLD.confirmed_at, OLD.declined_at, OLD.declined_reason, OLD.statement_id) THEN
    RAISE EXCEPTION 'Plumbline: what somebody depends on stays as it was stated.'
      USING ERRCODE = 'PL020', HINT = 'End it and record another.';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER dependence_is_kept BEFORE UPDATE ON initiatives_dependant
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_dependant();

CREATE FUNCTION plumbline_guard_standalone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF plumbline_team_member(NEW.initiative_id, NEW.accepted_by_id, NEW.accepted_at) THEN
    RAISE EXCEPTION 'Plumbline: nobody accepts this for an initiative whose team they are on.' USING ERRCODE = 'PL033';
  END IF;
  IF NOT EXISTS (SELECT 1 FROM governance_membership m JOIN governance_user u ON u.id = m.person_id
                 WHERE m.person_id = NEW.accepted_by_id AND m.seat = NEW.accepted_seat AND u.is_active
                   AND m.starts_at <= NEW.accepted_at AND (m.ends_at IS NULL OR m.ends_at > NEW.accepted_at)) THEN
    RAISE EXCEPTION 'Plumbline: who accepts this does not hold the seat %.', NEW.accepted_seat USING ERRCODE = 'PL033';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER accepted_from_outside BEFORE INSERT OR UPDATE OF accepted_by_id, accepted_at, accepted_seat ON initiatives_standalonedeclaration
  FOR EACH ROW WHEN (((NEW.accepted_at IS NOT NULL) AND (NEW.ended_at IS NULL)))
  EXECUTE FUNCTION plumbline_guard_standalone();
