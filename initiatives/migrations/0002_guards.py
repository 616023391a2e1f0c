"""What the database refuses by itself where the stage and the record are concerned, whoever asks.

The same rules stand in `initiatives.access.permissions` and `initiatives.actions`, where they carry advice; here they hold
for the ORM's short cuts, raw SQL and superusers too.
"""

from django.db import migrations

GUARDS = """
-- The stage changes only beside its StageChange and ledger entry, each consumed once (invariant 1).
CREATE FUNCTION plumbline_guard_stage() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER stage_is_guarded BEFORE INSERT OR UPDATE OR DELETE ON initiatives_initiative
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_stage();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON initiatives_initiative
  FOR EACH STATEMENT EXECUTE FUNCTION plumbline_refuse_change();

-- A stage change is append-only; only the trigger above may mark it consumed, once.
CREATE FUNCTION plumbline_guard_stage_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.consumed THEN
      RAISE EXCEPTION 'Plumbline: a stage change is not consumed before it is made.' USING ERRCODE = 'PL010';
    END IF;
    -- The moves of domain.md, "Stages and moves"; a decision is one that a review of this case ended in.
    IF NOT (NEW.basis = 'import' AND NEW.from_stage = 'proposed' AND NEW.to_stage <> 'proposed')
       AND (NEW.basis, NEW.from_stage, NEW.to_stage) NOT IN (
         ('decision', 'proposed', 'prototype'), ('decision', 'prototype', 'mvp'), ('decision', 'mvp', 'production'),
         ('decision', 'production', 'retired'), ('emergency', 'production', 'retired'),
         ('step back', 'production', 'mvp'), ('step back', 'mvp', 'prototype'),
         ('stopped', 'proposed', 'stopped'), ('stopped', 'prototype', 'stopped'), ('stopped', 'mvp', 'stopped'),
         ('reopened', 'stopped', 'prototype'), ('reopened', 'stopped', 'proposed')) THEN
      RAISE EXCEPTION 'Plumbline: there is no move from % to % by %.', NEW.from_stage, NEW.to_stage, NEW.basis
        USING ERRCODE = 'PL010';
    END IF;
    IF NEW.basis = 'decision' AND NOT EXISTS (
         SELECT 1 FROM initiatives_review WHERE id = NEW.review_id AND initiative_id = NEW.initiative_id
            AND outcome IN ('approved', 'approved_with_conditions')
            AND gate = CASE NEW.to_stage WHEN 'retired' THEN 'retire' ELSE NEW.to_stage END) THEN
      RAISE EXCEPTION 'Plumbline: no review of this case was approved for %.', NEW.to_stage USING ERRCODE = 'PL010';
    END IF;
    RETURN NEW;
  END IF;
  IF TG_OP = 'UPDATE' AND pg_trigger_depth() > 1 AND NOT OLD.consumed AND NEW.consumed
     AND to_jsonb(NEW) - 'consumed' = to_jsonb(OLD) - 'consumed' THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'Plumbline: % keeps what was written; % is refused.', TG_TABLE_NAME, TG_OP USING ERRCODE = 'PL001';
END $$;
CREATE TRIGGER append_only BEFORE INSERT OR UPDATE OR DELETE ON initiatives_stagechange
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_stage_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON initiatives_stagechange
  FOR EACH STATEMENT EXECUTE FUNCTION plumbline_refuse_change();

CREATE FUNCTION plumbline_stage_change_was_used() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM initiatives_stagechange WHERE id = NEW.id AND consumed) THEN
    RAISE EXCEPTION 'Plumbline: a stage change was written and the stage did not change.' USING ERRCODE = 'PL010';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER stage_change_is_used AFTER INSERT ON initiatives_stagechange
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION plumbline_stage_change_was_used();

-- The content of evidence never changes; it is withdrawn, found missing, or superseded by a newer row (invariant 7).
CREATE FUNCTION plumbline_guard_evidence() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'Plumbline: evidence is kept; withdraw it instead.' USING ERRCODE = 'PL012';
  END IF;
  IF to_jsonb(NEW) - ARRAY['withdrawn_at', 'withdrawn_reason', 'missing_since']
     IS DISTINCT FROM to_jsonb(OLD) - ARRAY['withdrawn_at', 'withdrawn_reason', 'missing_since'] THEN
    RAISE EXCEPTION 'Plumbline: evidence does not change.'
      USING ERRCODE = 'PL012', HINT = 'Add a newer item that supersedes it.';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER evidence_is_immutable BEFORE UPDATE OR DELETE ON initiatives_evidence
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_evidence();
ALTER TABLE initiatives_evidence ADD CONSTRAINT observed_not_after_upload
  CHECK (observed_on <= (added_at + interval '26 hours')::date);

-- A review that has ended does not change.
CREATE FUNCTION plumbline_guard_review() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR OLD.outcome <> 'open' THEN
    RAISE EXCEPTION 'Plumbline: a review that has ended is kept as it was.' USING ERRCODE = 'PL013';
  END IF;
  IF (NEW.initiative_id, NEW.gate, NEW.opened_by_id, NEW.opened_at)
     IS DISTINCT FROM (OLD.initiative_id, OLD.gate, OLD.opened_by_id, OLD.opened_at) THEN
    RAISE EXCEPTION 'Plumbline: a review keeps its case and gate.' USING ERRCODE = 'PL013';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER review_is_kept BEFORE UPDATE OR DELETE ON initiatives_review
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_review();

-- Separation of duties (invariants 4 and 5), superusers included.
ALTER TABLE initiatives_signoff ADD CONSTRAINT replaces_a_vote_of_the_same_seat
  FOREIGN KEY (review_id, seat, replaces_id) REFERENCES initiatives_signoff (review_id, seat, id);
CREATE FUNCTION plumbline_guard_signoff() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  case_id bigint;
  state text;
  gate_now text;
  opened timestamptz;
  ref text;
BEGIN
  SELECT r.initiative_id, r.outcome, r.gate, r.opened_at,
         plumbline_reference(i.number)
    INTO case_id, state, gate_now, opened, ref
    FROM initiatives_review r JOIN initiatives_initiative i ON i.id = r.initiative_id WHERE r.id = NEW.review_id;
  IF state <> 'open' THEN
    RAISE EXCEPTION 'Plumbline: the review has ended; nobody votes any more.' USING ERRCODE = 'PL014';
  END IF;
  -- A vote is given in this review, and its statement speaks of this case, gate and seat: no vote is copied.
  IF NEW.at < opened OR (NEW.facts->>'case', NEW.facts->>'gate', NEW.facts->>'seat')
     IS DISTINCT FROM (ref, gate_now, NEW.seat::text)
     OR NEW.digest <> encode(sha256(convert_to(NEW.statement, 'UTF8')), 'hex') THEN
    RAISE EXCEPTION 'Plumbline: the statement was not signed for this review and seat.' USING ERRCODE = 'PL014';
  END IF;
  IF EXISTS (SELECT 1 FROM initiatives_signoff WHERE review_id = NEW.review_id
             AND person_id = NEW.person_id AND seat <> NEW.seat) THEN
    RAISE EXCEPTION 'Plumbline: one person signs one seat of a review.' USING ERRCODE = 'PL014';
  END IF;
  IF NEW.verdict IN ('withdrawn', 'recuse') THEN
    RETURN NEW;
  END IF;
  IF NOT EXISTS (SELECT 1 FROM governance_membership m JOIN governance_user u ON u.id = m.person_id
                 WHERE m.person_id = NEW.person_id AND m.seat = NEW.seat AND u.is_active
                   AND m.granted_by_id IS DISTINCT FROM m.person_id
                   AND m.starts_at <= NEW.at AND (m.ends_at IS NULL OR m.ends_at > NEW.at)) THEN
    RAISE EXCEPTION 'Plumbline: the signer does not hold the seat %.', NEW.seat USING ERRCODE = 'PL014';
  END IF;
  IF EXISTS (SELECT 1 FROM initiatives_roleassignment WHERE initiative_id = case_id AND person_id = NEW.person_id
             AND accepted_at IS NOT NULL AND ended_at IS NULL) THEN
    RAISE EXCEPTION 'Plumbline: nobody signs on a case they hold a role on.' USING ERRCODE = 'PL014';
  END IF;
  IF NEW.verdict <> 'object' THEN
    IF EXISTS (SELECT 1 FROM initiatives_roleassignment WHERE initiative_id = case_id AND person_id = NEW.person_id
               AND declined_at IS NULL AND ended_at IS NULL) THEN
      RAISE EXCEPTION 'Plumbline: nobody approves on a case they are proposed for a role on.' USING ERRCODE = 'PL014';
    END IF;
    IF EXISTS (SELECT 1 FROM initiatives_evidence e WHERE e.author_id = NEW.person_id
               AND (e.id IN (SELECT value::bigint FROM jsonb_array_elements_text(NEW.covered_evidence))
                    OR NEW.facts->'evidence' ? e.id::text)) THEN
      RAISE EXCEPTION 'Plumbline: nobody approves on evidence they wrote.' USING ERRCODE = 'PL014';
    END IF;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER duties_are_separate BEFORE INSERT ON initiatives_signoff
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_signoff();

-- Nobody accepts a role for another: what was accepted stays with that person and case (invariant 6).
CREATE FUNCTION plumbline_guard_role() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'Plumbline: roles end, they are not deleted.' USING ERRCODE = 'PL015';
  END IF;
  IF (NEW.initiative_id, NEW.person_id, NEW.role, NEW.proposed_by_id)
     IS DISTINCT FROM (OLD.initiative_id, OLD.person_id, OLD.role, OLD.proposed_by_id) THEN
    RAISE EXCEPTION 'Plumbline: a role assignment keeps its person, role and case.'
      USING ERRCODE = 'PL015', HINT = 'End it and propose another.';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER role_is_personal BEFORE UPDATE OR DELETE ON initiatives_roleassignment
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_role();

-- A prototype holds no dependant, no rollout, no production data link (domain.md, "Never").
CREATE FUNCTION plumbline_guard_prototype() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  stage_now text;
BEGIN
  SELECT stage INTO stage_now FROM initiatives_initiative WHERE id = NEW.initiative_id;
  IF stage_now IN ('proposed', 'prototype') THEN
    RAISE EXCEPTION 'Plumbline: a % has no dependants, no rollout and no production data.', stage_now
      USING ERRCODE = 'PL016', HINT = 'Pass the MVP gate first, or plan the scope for that stage.';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER prototype_has_no_dependants BEFORE INSERT OR UPDATE ON initiatives_dependant
  FOR EACH ROW WHEN (NEW.ended_at IS NULL) EXECUTE FUNCTION plumbline_guard_prototype();
CREATE TRIGGER prototype_has_no_rollout BEFORE INSERT OR UPDATE ON initiatives_scopeversion
  FOR EACH ROW WHEN (NEW.ended_at IS NULL AND NEW.starts_at IS NOT NULL AND (NEW.rollout OR NEW.live_data))
  EXECUTE FUNCTION plumbline_guard_prototype();

-- What a debt or a declaration said does not change afterwards.
CREATE FUNCTION plumbline_guard_obligation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'Plumbline: a debt is settled, not deleted.' USING ERRCODE = 'PL017';
  END IF;
  IF (NEW.initiative_id, NEW.kind, NEW.source, NEW.debtor_id, NEW.due)
     IS DISTINCT FROM (OLD.initiative_id, OLD.kind, OLD.source, OLD.debtor_id, OLD.due)
     OR (OLD.settled_at IS NOT NULL AND NEW.settled_at IS DISTINCT FROM OLD.settled_at) THEN
    RAISE EXCEPTION 'Plumbline: a debt stays with its debtor and day.' USING ERRCODE = 'PL017';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER debts_are_kept BEFORE UPDATE OR DELETE ON initiatives_obligation
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_obligation();

CREATE FUNCTION plumbline_guard_declaration() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR (OLD.frozen_at IS NOT NULL
     AND (NEW.declared, NEW.frozen_at, NEW.key) IS DISTINCT FROM (OLD.declared, OLD.frozen_at, OLD.key)) THEN
    RAISE EXCEPTION 'Plumbline: what was declared at the MVP gate is frozen.' USING ERRCODE = 'PL018';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER declaration_is_frozen BEFORE UPDATE OR DELETE ON initiatives_proofitem
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_declaration();

-- References are handed out once.
CREATE SEQUENCE plumbline_case_number;
"""

NO_GUARDS = """
DROP SEQUENCE plumbline_case_number;
DROP FUNCTION plumbline_guard_declaration() CASCADE;
DROP FUNCTION plumbline_guard_obligation() CASCADE;
DROP FUNCTION plumbline_guard_prototype() CASCADE;
DROP FUNCTION plumbline_guard_role() CASCADE;
DROP FUNCTION plumbline_guard_signoff() CASCADE;
ALTER TABLE initiatives_signoff DROP CONSTRAINT replaces_a_vote_of_the_same_seat;
DROP FUNCTION plumbline_guard_review() CASCADE;
ALTER TABLE initiatives_evidence DROP CONSTRAINT observed_not_after_upload;
DROP FUNCTION plumbline_guard_evidence() CASCADE;
DROP FUNCTION plumbline_stage_change_was_used() CASCADE;
DROP FUNCTION plumbline_guard_stage_change() CASCADE;
DROP FUNCTION plumbline_guard_stage() CASCADE;
DROP TRIGGER never_emptied ON initiatives_initiative;
"""


class Migration(migrations.Migration):
    dependencies = [("initiatives", "0001_initial"), ("governance", "0002_guards")]

    operations = [migrations.RunSQL(GUARDS, NO_GUARDS)]
