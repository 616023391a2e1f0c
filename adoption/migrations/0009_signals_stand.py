"""A reported signal says for ever what was reported; only what readings show moves with them."""

from django.db import migrations

GUARDS = """
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
CREATE TRIGGER signals_stand BEFORE UPDATE OR DELETE ON adoption_signal
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_signal();
"""
NO_GUARDS = "DROP FUNCTION plumbline_guard_signal() CASCADE;"


class Migration(migrations.Migration):
    """One guard."""

    dependencies = [("adoption", "0008_pulses_read")]

    operations = [migrations.RunSQL(GUARDS, NO_GUARDS)]
