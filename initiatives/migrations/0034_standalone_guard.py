"""Who accepts that a case stands alone, by the database (docs/adr/0055)."""

from django.db import migrations

GUARD = """
CREATE FUNCTION plumbline_guard_standalone() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF plumbline_party(NEW.initiative_id, NEW.accepted_by_id, NEW.accepted_at) THEN
    RAISE EXCEPTION 'Plumbline: nobody accepts this for a case they are party to.' USING ERRCODE = 'PL033';
  END IF;
  IF NOT EXISTS (SELECT 1 FROM governance_membership m JOIN governance_user u ON u.id = m.person_id
                 WHERE m.person_id = NEW.accepted_by_id AND m.seat = NEW.accepted_seat AND u.is_active
                   AND m.starts_at <= NEW.accepted_at AND (m.ends_at IS NULL OR m.ends_at > NEW.accepted_at)) THEN
    RAISE EXCEPTION 'Plumbline: who accepts this does not hold the seat %.', NEW.accepted_seat USING ERRCODE = 'PL033';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER accepted_from_outside BEFORE INSERT OR UPDATE OF accepted_by_id, accepted_at, accepted_seat
  ON initiatives_standalonedeclaration
  FOR EACH ROW WHEN (NEW.accepted_at IS NOT NULL AND NEW.ended_at IS NULL)
  EXECUTE FUNCTION plumbline_guard_standalone();
"""
NO_GUARD = "DROP FUNCTION plumbline_guard_standalone() CASCADE;"


class Migration(migrations.Migration):
    dependencies = [("initiatives", "0033_discovering")]

    operations = [migrations.RunSQL(GUARD, NO_GUARD)]
