-- Meetings and their minutes.

-- Once a meeting is closed, or called off, nothing of it changes: agenda, attendance, minutes.
CREATE FUNCTION plumbline_guard_meeting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR OLD.state IN ('closed', 'called_off') THEN
    RAISE EXCEPTION 'Plumbline: a meeting that is over is kept as it was.' USING ERRCODE = 'PL060';
  END IF;
  IF (NEW.board_id, NEW.planned_by_id, NEW.planned_at) IS DISTINCT FROM (OLD.board_id, OLD.planned_by_id, OLD.planned_at)
     OR OLD.state = 'held' AND (NEW.state = 'planned' OR NEW.state = 'called_off'
                                OR (NEW.held_on, NEW.begun_at) IS DISTINCT FROM (OLD.held_on, OLD.begun_at)) THEN
    RAISE EXCEPTION 'Plumbline: a meeting keeps its board, and its day once it began.' USING ERRCODE = 'PL060';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER meeting_is_kept BEFORE DELETE OR UPDATE ON adoption_meeting
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_meeting();

CREATE FUNCTION plumbline_guard_of_meeting() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  said text;
BEGIN
  IF TG_OP = 'UPDATE' AND NEW.meeting_id <> OLD.meeting_id OR TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'Plumbline: what belongs to a meeting stays with it.' USING ERRCODE = 'PL060';
  END IF;
  -- FOR SHARE: nobody closes it meanwhile.
  SELECT state INTO said FROM adoption_meeting WHERE id = NEW.meeting_id FOR SHARE;
  IF said NOT IN ('planned', 'held') THEN
    RAISE EXCEPTION 'Plumbline: the meeting is over; its % stand as they are.', replace(TG_TABLE_NAME, 'adoption_', '')
      USING ERRCODE = 'PL060', HINT = 'Say it in the minutes of the next meeting.';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER of_a_meeting_that_is_open BEFORE INSERT OR DELETE OR UPDATE ON adoption_agendapoint
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_of_meeting();
CREATE TRIGGER of_a_meeting_that_is_open BEFORE INSERT OR DELETE OR UPDATE ON adoption_attendance
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_of_meeting();
CREATE TRIGGER of_a_meeting_that_is_open BEFORE INSERT ON adoption_minutes
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_of_meeting();
