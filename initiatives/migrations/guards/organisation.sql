-- Units of initiatives.

CREATE TRIGGER unit_in_being BEFORE INSERT OR UPDATE ON initiatives_initiative
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_unit();
