"""The guard of the stage finds its entry by key, however many cases one transaction moves."""

from django.db import migrations

BY_KEY = """
CREATE OR REPLACE FUNCTION plumbline_guard_stage() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  found_id bigint;
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.stage <> 'proposed' OR NEW.basis <> 'registered' THEN
      RAISE EXCEPTION 'Plumbline: a case starts as a proposed idea, not as %.', NEW.stage
        USING ERRCODE = 'PL010', HINT = 'Register it, then move it by a decision or an import.';
    END IF;
    RETURN NEW;
  END IF;
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'Plumbline: cases are kept; % is withdrawn, stopped or retired instead.', OLD.number
      USING ERRCODE = 'PL011';
  END IF;
  IF NEW.number <> OLD.number THEN
    RAISE EXCEPTION 'Plumbline: a reference is never changed or used again.' USING ERRCODE = 'PL011';
  END IF;
  IF NEW.stage IS NOT DISTINCT FROM OLD.stage THEN
    IF (NEW.basis, NEW.since) IS DISTINCT FROM (OLD.basis, OLD.since) THEN
      RAISE EXCEPTION 'Plumbline: the basis of a claimed stage changes only with the stage.' USING ERRCODE = 'PL010';
    END IF;
    RETURN NEW;
  END IF;
  -- By keys, not by the transaction: an import moves hundreds of cases in one, and a plan that took the index on xact
  -- would read all its entries for each of them. The sum keeps that index out of the planner's choice.
  SELECT c.id INTO found_id
    FROM initiatives_stagechange c JOIN governance_entry e ON e.id = c.entry_id
   WHERE c.initiative_id = NEW.id AND c.from_stage = OLD.stage AND c.to_stage = NEW.stage
     AND c.basis = NEW.basis AND NOT c.consumed
     AND c.xact = plumbline_xact() AND e.xact - c.xact = 0 AND e.kind = 'stage changed'
     AND e.case_ref = plumbline_reference(NEW.number);
  IF found_id IS NULL THEN
    RAISE EXCEPTION 'Plumbline: case % does not go from % to % without a recorded decision.',
      NEW.number, OLD.stage, NEW.stage
      USING ERRCODE = 'PL010', HINT = 'Promote, step back, stop, retire or reopen it on its page.';
  END IF;
  UPDATE initiatives_stagechange SET consumed = true WHERE id = found_id;
  RETURN NEW;
END $$;
"""

BY_ANY_WAY = """
CREATE OR REPLACE FUNCTION plumbline_guard_stage() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  found_id bigint;
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.stage <> 'proposed' OR NEW.basis <> 'registered' THEN
      RAISE EXCEPTION 'Plumbline: a case starts as a proposed idea, not as %.', NEW.stage
        USING ERRCODE = 'PL010', HINT = 'Register it, then move it by a decision or an import.';
    END IF;
    RETURN NEW;
  END IF;
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'Plumbline: cases are kept; % is withdrawn, stopped or retired instead.', OLD.number
      USING ERRCODE = 'PL011';
  END IF;
  IF NEW.number <> OLD.number THEN
    RAISE EXCEPTION 'Plumbline: a reference is never changed or used again.' USING ERRCODE = 'PL011';
  END IF;
  IF NEW.stage IS NOT DISTINCT FROM OLD.stage THEN
    IF (NEW.basis, NEW.since) IS DISTINCT FROM (OLD.basis, OLD.since) THEN
      RAISE EXCEPTION 'Plumbline: the basis of a claimed stage changes only with the stage.' USING ERRCODE = 'PL010';
    END IF;
    RETURN NEW;
  END IF;
  SELECT c.id INTO found_id
    FROM initiatives_stagechange c JOIN governance_entry e ON e.id = c.entry_id
   WHERE c.initiative_id = NEW.id AND c.from_stage = OLD.stage AND c.to_stage = NEW.stage
     AND c.basis = NEW.basis AND NOT c.consumed
     AND c.xact = plumbline_xact() AND e.xact = c.xact AND e.kind = 'stage changed'
     AND e.case_ref = plumbline_reference(NEW.number);
  IF found_id IS NULL THEN
    RAISE EXCEPTION 'Plumbline: case % does not go from % to % without a recorded decision.',
      NEW.number, OLD.stage, NEW.stage
      USING ERRCODE = 'PL010', HINT = 'Promote, step back, stop, retire or reopen it on its page.';
  END IF;
  UPDATE initiatives_stagechange SET consumed = true WHERE id = found_id;
  RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("initiatives", "0008_absences")]

    operations = [migrations.RunSQL(BY_KEY, BY_ANY_WAY)]
