-- Holds, conditions, waivers and obligations.

-- A word to go on is about the stage that the initiative has.
CREATE FUNCTION plumbline_guard_continuation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.stage IS DISTINCT FROM (SELECT stage FROM initiatives_initiative WHERE id = NEW.initiative_id) THEN
    RAISE EXCEPTION 'Plumbline: an initiative goes on in the stage that it has.' USING ERRCODE = 'PL021';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER goes_on_in_its_stage BEFORE INSERT ON initiatives_continuation
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_continuation();

CREATE FUNCTION plumbline_guard_excuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_RELID <> 'public.initiatives_excuse'::regclass THEN
    RAISE EXCEPTION 'Plumbline: this function guards excuses alone.' USING ERRCODE = 'PL090';
  END IF;
  IF NOT EXISTS (SELECT 1 FROM public.initiatives_obligation o
                  WHERE o.id = NEW.obligation_id AND o.completed_at IS NULL
                    AND o.responsible_id IS DISTINCT FROM NEW.by_id) THEN
    RAISE EXCEPTION 'Plumbline: what is excused is still due, and by somebody else.' USING ERRCODE = 'PL090';
  END IF;
  IF NOT EXISTS (SELECT 1 FROM public.initiatives_review r
                  WHERE r.initiative_id = NEW.initiative_id AND r.outcome = 'open'
                    AND r.gate IN ('mvp', 'production')) THEN
    RAISE EXCEPTION 'Plumbline: an excuse is for a decision that is to come.'
      USING ERRCODE = 'PL090', HINT = 'Open the review of the initiative first.';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER excuse_is_for_a_decision BEFORE INSERT ON initiatives_excuse
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_excuse();

-- A condition that was declared met stays so, unless somebody else says with a reason that it is not.
CREATE FUNCTION plumbline_guard_condition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.met_at IS NOT NULL AND (NEW.met_at, NEW.met_by_id) IS DISTINCT FROM (OLD.met_at, OLD.met_by_id)
     AND (NEW.met_at IS NOT NULL OR NEW.not_met_at IS NOT DISTINCT FROM OLD.not_met_at) THEN
    RAISE EXCEPTION 'Plumbline: met_at of % stays as it was written.', TG_TABLE_NAME USING ERRCODE = 'PL048';
  END IF;
  IF (NEW.not_met_at, NEW.not_met_by_id, NEW.not_met_reason)
       IS DISTINCT FROM (OLD.not_met_at, OLD.not_met_by_id, OLD.not_met_reason)
     AND (OLD.met_at IS NULL OR NEW.met_at IS NOT NULL OR NEW.not_met_at IS NULL
          OR EXISTS (SELECT FROM plumbline_accounts(NEW.not_met_by_id) account
                      WHERE account IN (OLD.owner_id, OLD.met_by_id))) THEN
    RAISE EXCEPTION 'Plumbline: whoever had to meet a condition does not judge whether it is met.'
      USING ERRCODE = 'PL048', HINT = 'The chair, or the seat that set it, says so.';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER condition_is_judged BEFORE UPDATE ON initiatives_condition
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_condition();

-- An acceptance extends one of the same initiative that the risk seat accepted; one that became a gap is not reviewed.
CREATE FUNCTION plumbline_guard_accepted_risk() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' AND NEW.extends_id IS NOT NULL AND NOT EXISTS (
       SELECT FROM public.initiatives_acceptedrisk r
        WHERE r.id = NEW.extends_id AND r.initiative_id = NEW.initiative_id AND r.risk_at IS NOT NULL) THEN
    RAISE EXCEPTION 'Plumbline: an accepted risk extends an earlier acceptance on the same initiative.'
      USING ERRCODE = 'PL048';
  END IF;
  IF TG_OP = 'UPDATE' AND NEW.reviewed_at IS DISTINCT FROM OLD.reviewed_at AND (OLD.ended_at IS NOT NULL
       OR EXISTS (SELECT FROM public.initiatives_gap g WHERE g.ended_risk_id = NEW.id)) THEN
    RAISE EXCEPTION 'Plumbline: an acceptance that ended is not reviewed.'
      USING ERRCODE = 'PL048', HINT = 'Ask to accept the risk again.';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER accepted_risk_is_extended_or_reviewed BEFORE INSERT OR UPDATE ON initiatives_acceptedrisk
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_accepted_risk();

-- What a person held, the chair lifts.
CREATE FUNCTION plumbline_guard_hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.lifted_at IS NULL AND NEW.lifted_at IS NOT NULL AND NEW.lifted_by_id IS NULL AND OLD.opened_by_id IS NOT NULL THEN
    RAISE EXCEPTION 'Plumbline: a hold that a person opened is lifted by the chair.' USING ERRCODE = 'PL048';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER lifted_by_the_chair BEFORE UPDATE ON initiatives_hold
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_hold();
