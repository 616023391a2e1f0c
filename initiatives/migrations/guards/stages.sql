-- A stage changes only beside its stage change and its entry.

-- The stage changes only beside its StageChange and its entry in the audit log, each consumed once (invariant 1).
CREATE FUNCTION plumbline_guard_stage() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  found_id bigint;
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.stage <> 'proposed' OR NEW.basis <> 'registered' THEN
      RAISE EXCEPTION 'Plumbline: an initiative starts as a proposed idea, not as %.', NEW.stage
        USING ERRCODE = 'PL010', HINT = 'Register it, then move it by a decision or an import.';
    END IF;
    RETURN NEW;
  END IF;
  IF NEW.stage IS NOT DISTINCT FROM OLD.stage THEN
    IF (NEW.basis, NEW.since) IS DISTINCT FROM (OLD.basis, OLD.since) THEN
      RAISE EXCEPTION 'Plumbline: the basis of an approved stage changes only with the stage.' USING ERRCODE = 'PL010';
    END IF;
    RETURN NEW;
  END IF;
  -- By keys alone: an import moves thousands of initiatives in one transaction, and a plan that took an index on the
  -- transaction or on the kind would read all their rows for each of them. A sum and a selected condition use no index.
  SELECT c.id INTO found_id
    FROM initiatives_stagechange c
   WHERE c.initiative_id = NEW.id AND c.from_stage = OLD.stage AND c.to_stage = NEW.stage
     AND c.basis = NEW.basis AND NOT c.consumed AND c.xact - plumbline_xact() = 0
     AND (SELECT e.xact = c.xact AND e.kind = 'stage changed' AND e.initiative_ref = plumbline_reference(NEW.number)
            FROM governance_entry e WHERE e.id = c.entry_id);
  IF found_id IS NULL THEN
    RAISE EXCEPTION 'Plumbline: initiative % does not go from % to % without a recorded decision.',
      NEW.number, OLD.stage, NEW.stage
      USING ERRCODE = 'PL010', HINT = 'Promote, step back, stop, retire or reopen it on its page.';
  END IF;
  UPDATE initiatives_stagechange SET consumed = true WHERE id = found_id;
  RETURN NEW;
END $$;
CREATE TRIGGER stage_is_guarded BEFORE INSERT OR UPDATE ON initiatives_initiative
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_stage();

-- A stage change is append-only; only the trigger above may mark it consumed, once.
CREATE FUNCTION plumbline_guard_stage_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.consumed THEN
      RAISE EXCEPTION 'Plumbline: a stage change is not consumed before it is made.' USING ERRCODE = 'PL010';
    END IF;
    -- The moves of domain.md, "Stages and moves"; a decision is one that a review of this initiative ended in.
    IF NOT (NEW.basis = 'import' AND NEW.from_stage = 'proposed' AND NEW.to_stage <> 'proposed')
       AND NOT (NEW.basis = 'import undone' AND NEW.from_stage <> 'proposed' AND NEW.to_stage = 'proposed')
       AND (NEW.basis, NEW.from_stage, NEW.to_stage) NOT IN (
         ('decision', 'proposed', 'prototype'), ('decision', 'prototype', 'mvp'), ('decision', 'mvp', 'production'),
         ('decision', 'production', 'retired'), ('emergency', 'production', 'retired'),
         ('step back', 'production', 'mvp'), ('step back', 'production', 'prototype'),
         ('step back', 'mvp', 'prototype'),
         ('stopped', 'proposed', 'stopped'), ('stopped', 'prototype', 'stopped'), ('stopped', 'mvp', 'stopped'),
         ('reopened', 'stopped', 'prototype'), ('reopened', 'stopped', 'proposed')) THEN
      RAISE EXCEPTION 'Plumbline: there is no move from % to % by %.', NEW.from_stage, NEW.to_stage, NEW.basis
        USING ERRCODE = 'PL010';
    END IF;
    IF NEW.basis = 'import undone' AND NOT EXISTS (
         SELECT FROM initiatives_initiative WHERE id = NEW.initiative_id AND basis = 'import') THEN
      RAISE EXCEPTION 'Plumbline: the stage of this initiative rests on a decision, not on an import alone.'
        USING ERRCODE = 'PL010';
    END IF;
    IF NEW.basis = 'import' AND EXISTS (
         SELECT 1 FROM initiatives_stagechange WHERE initiative_id = NEW.initiative_id AND basis <> 'import') THEN
      RAISE EXCEPTION 'Plumbline: an import reports no stage where one was decided here.'
        USING ERRCODE = 'PL010';
    END IF;
    IF NEW.basis = 'decision' AND NOT EXISTS (
         SELECT 1 FROM initiatives_review WHERE id = NEW.review_id AND initiative_id = NEW.initiative_id
            AND outcome IN ('approved', 'approved_with_conditions')
            AND gate = CASE NEW.to_stage WHEN 'retired' THEN 'retire' ELSE NEW.to_stage END) THEN
      RAISE EXCEPTION 'Plumbline: no review of this initiative was approved for %.', NEW.to_stage USING ERRCODE = 'PL010';
    END IF;
    RETURN NEW;
  END IF;
  IF TG_OP = 'UPDATE' AND pg_trigger_depth() > 1 AND NOT OLD.consumed AND NEW.consumed
     AND to_jsonb(NEW) - 'consumed' = to_jsonb(OLD) - 'consumed' THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'Plumbline: % keeps what was written; % is refused.', TG_TABLE_NAME, TG_OP USING ERRCODE = 'PL001';
END $$;
CREATE TRIGGER append_only BEFORE INSERT OR DELETE OR UPDATE ON initiatives_stagechange
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_stage_change();

CREATE FUNCTION plumbline_stage_change_was_used() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM initiatives_stagechange WHERE id = NEW.id AND consumed)
     OR NOT EXISTS (SELECT 1 FROM initiatives_historicalinitiative h
                     WHERE h.id = NEW.initiative_id AND h.history_xact - plumbline_xact() = 0 AND h.history_type = '~'
                       AND (h.stage, h.basis) = (NEW.to_stage, NEW.basis)) THEN
    RAISE EXCEPTION 'Plumbline: a stage change was written and the stage did not change.' USING ERRCODE = 'PL010';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER stage_change_is_used AFTER INSERT ON initiatives_stagechange
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION plumbline_stage_change_was_used();

-- A move names who may make it.
CREATE FUNCTION plumbline_guard_mover() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.basis = 'decision' AND NOT EXISTS (
       SELECT FROM initiatives_review WHERE id = NEW.review_id AND ended_by_id = NEW.by_id) THEN
    RAISE EXCEPTION 'Plumbline: a decision is carried out by who took it.' USING ERRCODE = 'PL010';
  END IF;
  IF NEW.basis IN ('step back', 'reopened', 'emergency')
     AND NOT coalesce(plumbline_decides(NEW.initiative_id, NEW.by_id, NEW.at), false) THEN
    RAISE EXCEPTION 'Plumbline: only who decides on the initiative moves it by %.', NEW.basis USING ERRCODE = 'PL010';
  END IF;
  IF NEW.basis = 'import' AND NEW.by_id IS NOT NULL AND NOT EXISTS (
       SELECT FROM governance_user WHERE id = NEW.by_id AND is_active AND is_admin) THEN
    RAISE EXCEPTION 'Plumbline: only admins import.' USING ERRCODE = 'PL010';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER moved_by_who_may AFTER INSERT ON initiatives_stagechange
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_mover();

CREATE FUNCTION plumbline_follow_supported_stage() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  IF EXISTS (SELECT FROM told JOIN initiatives_pastsupportedstage p USING (initiative_id) WHERE p.id > told.id) THEN
    RAISE EXCEPTION 'Plumbline: a newer supported stage of this initiative was written already.' USING ERRCODE = 'PL091';
  END IF;
  IF EXISTS (SELECT FROM told, jsonb_populate_recordset(NULL::initiatives_supportedstageperiod, told.spans) s
              WHERE s.from_at NOT BETWEEN '0001-01-02' AND '9999-12-30'
                 OR s.until_at NOT BETWEEN '0001-01-02' AND '9999-12-30') THEN
    RAISE EXCEPTION 'Plumbline: a supported stage has a moment that no calendar has.' USING ERRCODE = 'PL091';
  END IF;
  DELETE FROM initiatives_supportedstageperiod s USING told WHERE s.initiative_id = told.initiative_id;
  INSERT INTO initiatives_supportedstageperiod (id, initiative_id, past_supported_stage_id, from_at, until_at, supported, unsupported_stages, label,
                                governance, integration, adoption, runs_without, held, gaps, open_requirements, profile, to_verify,
                                next_expiry_on, seal)
  SELECT s.id, told.initiative_id, told.id, s.from_at, s.until_at, s.supported, s.unsupported_stages, s.label,
         s.governance, s.integration, s.adoption, s.runs_without, s.held, s.gaps, s.open_requirements, s.profile, s.to_verify, s.next_expiry_on, s.seal
    FROM told, jsonb_populate_recordset(NULL::initiatives_supportedstageperiod, told.spans) s;
  INSERT INTO initiatives_supportedstage (initiative_id, rulebook_id, computed_at, valid_until)
  SELECT initiative_id, rulebook_id, computed_at, valid_until FROM told
      ON CONFLICT (initiative_id) DO UPDATE
     SET rulebook_id = excluded.rulebook_id, computed_at = excluded.computed_at, valid_until = excluded.valid_until;
  RETURN NULL;
END $$;
CREATE TRIGGER supported_stage_follows AFTER INSERT ON initiatives_pastsupportedstage
  REFERENCING NEW TABLE AS told FOR EACH STATEMENT EXECUTE FUNCTION plumbline_follow_supported_stage();

-- A stage change names who acts; owner and chair stop an initiative, admins withdraw what an import reported.
CREATE FUNCTION plumbline_guard_stopper() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  rule text := CASE NEW.basis WHEN 'stopped' THEN 'stops' WHEN 'import undone' THEN 'imports' END;
BEGIN
  IF NEW.by_id IS DISTINCT FROM (plumbline_act(TG_TABLE_NAME)->>'id')::bigint THEN
    RAISE EXCEPTION 'Plumbline: a stage change names who acts.' USING ERRCODE = 'PL010';
  END IF;
  IF rule IS NOT NULL AND NOT plumbline_may(rule, NEW.initiative_id, NEW.by_id, NULL, NEW.at) THEN
    RAISE EXCEPTION 'Plumbline: person % may not change the stage by %.', coalesce(NEW.by_id::text, 'none'), NEW.basis
      USING ERRCODE = 'PL010';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER names_who_acts AFTER INSERT ON initiatives_stagechange
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_stopper();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON initiatives_initiative
  FOR EACH STATEMENT EXECUTE FUNCTION plumbline_refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON initiatives_stagechange
  FOR EACH STATEMENT EXECUTE FUNCTION plumbline_refuse_change();

-- References of initiatives: each is given once.
CREATE SEQUENCE plumbline_initiative_number;
