-- Meetings and their minutes.

-- A meeting that began keeps its day. Once it is closed or called off, its agenda, attendance and minutes stay.
CREATE FUNCTION plumbline_guard_meeting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state = 'held' AND (NEW.state IN ('planned', 'called_off') OR NEW.held_on <> OLD.held_on) THEN
    RAISE EXCEPTION 'Plumbline: a meeting keeps its day once it began.' USING ERRCODE = 'PL060';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER meeting_is_kept BEFORE UPDATE ON adoption_meeting
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_meeting();

CREATE FUNCTION plumbline_guard_of_meeting() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  said text;
BEGIN
  -- FOR SHARE: nobody closes it meanwhile.
  SELECT state INTO said FROM adoption_meeting WHERE id = NEW.meeting_id FOR SHARE;
  IF said NOT IN ('planned', 'held') THEN
    RAISE EXCEPTION 'Plumbline: the meeting is over; its % stand as they are.', replace(TG_TABLE_NAME, 'adoption_', '')
      USING ERRCODE = 'PL060', HINT = 'Say it in the minutes of the next meeting.';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER of_a_meeting_that_is_open BEFORE INSERT OR UPDATE ON adoption_agendapoint
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_of_meeting();
CREATE TRIGGER of_a_meeting_that_is_open BEFORE INSERT OR UPDATE ON adoption_attendance
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_of_meeting();
CREATE TRIGGER of_a_meeting_that_is_open BEFORE INSERT ON adoption_minutes
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_of_meeting();
