"""What the database refuses of votes, decisions, contracts and moves, by the rules that a rulebook laid down as rows.

They hold for what is written from now on; rows of before are not looked at again.
"""

from django.db import migrations

GUARDS = """
-- Whether a person is party to a case: a role held, asked for or stood in for, or, before anybody owned it, whoever
-- registered it.
CREATE FUNCTION plumbline_party(case_id bigint, person bigint, moment timestamptz) RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM initiatives_roleassignment r WHERE r.initiative_id = case_id AND r.person_id = person
                    AND r.declined_at IS NULL AND r.ended_at IS NULL)
      OR EXISTS (SELECT FROM initiatives_roleassignment r
                   JOIN governance_user u ON u.id = r.person_id AND u.is_active
                   JOIN governance_absence a ON a.person_id = r.person_id
                    AND a.starts_at <= moment AND a.ends_at > moment
                   JOIN governance_delegation d ON d.absence_id = a.id AND d.membership_id IS NULL
                    AND d.accepted_at IS NOT NULL AND d.ended_at IS NULL AND d.delegate_id = person
                  WHERE r.initiative_id = case_id AND r.accepted_at IS NOT NULL AND r.ended_at IS NULL)
      OR EXISTS (SELECT FROM initiatives_initiative i WHERE i.id = case_id AND i.registered_by_id = person
                    AND NOT EXISTS (SELECT FROM initiatives_roleassignment r WHERE r.initiative_id = i.id
                                       AND r.role = 'owner' AND r.accepted_at IS NOT NULL))
$$;

-- Whether a person decides on a case: the chair of its board, or the deputy while no chair is there and not party.
CREATE FUNCTION plumbline_decides(case_id bigint, person bigint, moment timestamptz) RETURNS boolean LANGUAGE plpgsql
STABLE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  board bigint := (SELECT plumbline_board_of(unit_id) FROM initiatives_initiative WHERE id = case_id);
BEGIN
  IF plumbline_away(person, moment) OR plumbline_party(case_id, person, moment) THEN
    RETURN false;
  END IF;
  RETURN plumbline_sits(board, person, 'chair', moment)
      OR plumbline_sits(board, person, 'deputy_chair', moment) AND NOT EXISTS (
           SELECT FROM governance_membership m WHERE m.board_id = board AND m.seat = 'chair'
              AND plumbline_sits(board, m.person_id, 'chair', moment)
              AND NOT plumbline_away(m.person_id, moment) AND NOT plumbline_party(case_id, m.person_id, moment));
END $$;

-- A vote is one of the board that decides the case, for a seat that signs at this gate.
CREATE FUNCTION plumbline_guard_vote() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  review initiatives_review;
  about initiatives_initiative;
  seated boolean;
BEGIN
  SELECT * INTO review FROM initiatives_review WHERE id = NEW.review_id;
  SELECT * INTO about FROM initiatives_initiative WHERE id = review.initiative_id;
  seated := plumbline_sits(plumbline_board_of(about.unit_id), NEW.person_id, NEW.seat, NEW.at);
  IF NEW.verdict = 'withdrawn' THEN
    IF NOT seated AND NOT EXISTS (SELECT FROM initiatives_signoff WHERE id = NEW.replaces_id
                                     AND person_id = NEW.person_id) THEN
      RAISE EXCEPTION 'Plumbline: a vote is withdrawn by its signer, or by who holds the seat.' USING ERRCODE = 'PL014';
    END IF;
    RETURN NULL;
  END IF;
  IF NOT coalesce(seated, false) THEN
    RAISE EXCEPTION 'Plumbline: the signer does not hold the seat % of the board that decides this case.', NEW.seat
      USING ERRCODE = 'PL014';
  END IF;
  IF NEW.verdict = 'recuse' THEN
    RETURN NULL;
  END IF;
  IF NOT EXISTS (SELECT FROM governance_signingrule r WHERE r.rulebook_id = review.rulebook_id
                    AND r.about = review.gate AND r.tier = about.tier AND r.seats ? NEW.seat) THEN
    RAISE EXCEPTION 'Plumbline: the seat % does not sign at the gate %.', NEW.seat, review.gate USING ERRCODE = 'PL014';
  END IF;
  IF about.registered_by_id = NEW.person_id AND NOT EXISTS (
       SELECT FROM initiatives_roleassignment WHERE initiative_id = about.id AND role = 'owner'
          AND accepted_at IS NOT NULL) THEN
    RAISE EXCEPTION 'Plumbline: nobody signs on a case that they registered and nobody owned yet.'
      USING ERRCODE = 'PL014';
  END IF;
  IF NEW.verdict = 'object' THEN
    RETURN NULL;
  END IF;
  IF NEW.seat = 'business_value' AND EXISTS (
       SELECT FROM initiatives_roleassignment r JOIN governance_user u ON u.id = NEW.person_id
         JOIN governance_user o ON o.id = r.person_id AND o.is_active
        WHERE r.initiative_id = about.id AND r.role = 'owner' AND r.accepted_at IS NOT NULL AND r.ended_at IS NULL
          AND u.manager_id = r.person_id) THEN
    RAISE EXCEPTION 'Plumbline: the seat % does not report to the owner.', NEW.seat USING ERRCODE = 'PL014';
  END IF;
  IF jsonb_typeof(NEW.facts->'contract') = 'object' AND EXISTS (
       SELECT FROM governance_contractversion WHERE contract_id = about.contract_id AND author_id = NEW.person_id
          AND state <> 'superseded') THEN
    RAISE EXCEPTION 'Plumbline: nobody approves on a contract they wrote.' USING ERRCODE = 'PL014';
  END IF;
  RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION plumbline_guard_vote() FROM PUBLIC;
CREATE TRIGGER vote_of_the_board AFTER INSERT ON initiatives_signoff
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_vote();

-- A review begins open and under the rulebook in force. It ends by whoever decides, and as approved only with the
-- fresh votes that its rulebook asks for, as they stand, by people who sit there now.
CREATE FUNCTION plumbline_guard_decision() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  about initiatives_initiative;
  rule governance_signingrule;
  board bigint;
  signed jsonb;
  people bigint;
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.outcome <> 'open' THEN
      RAISE EXCEPTION 'Plumbline: a review begins open.' USING ERRCODE = 'PL013';
    END IF;
    IF NEW.rulebook_id IS DISTINCT FROM plumbline_rulebook() THEN
      RAISE EXCEPTION 'Plumbline: a review is opened under the rulebook in force.' USING ERRCODE = 'PL013';
    END IF;
    RETURN NULL;
  END IF;
  IF NEW.rulebook_id <> OLD.rulebook_id AND NEW.rulebook_id IS DISTINCT FROM plumbline_rulebook() THEN
    RAISE EXCEPTION 'Plumbline: a review moves to the rulebook in force and to no other.' USING ERRCODE = 'PL013';
  END IF;
  IF OLD.outcome <> 'open' OR NEW.outcome NOT IN ('approved', 'approved_with_conditions', 'refused', 'returned') THEN
    RETURN NULL;
  END IF;
  SELECT * INTO about FROM initiatives_initiative WHERE id = NEW.initiative_id;
  SELECT * INTO rule FROM governance_signingrule r
   WHERE r.rulebook_id = NEW.rulebook_id AND r.about = NEW.gate AND r.tier = about.tier;
  board := plumbline_board_of(about.unit_id);
  IF NOT coalesce(CASE coalesce(rule.decided_by, 'chair')
       WHEN 'chair' THEN plumbline_decides(about.id, NEW.ended_by_id, NEW.ended_at)
       ELSE plumbline_sits(board, NEW.ended_by_id, rule.decided_by, NEW.ended_at)
            AND NOT plumbline_party(about.id, NEW.ended_by_id, NEW.ended_at) END, false) THEN
    RAISE EXCEPTION 'Plumbline: a review is decided by the chair of the board of its case, or whom its rulebook names.'
      USING ERRCODE = 'PL013';
  END IF;
  IF NEW.outcome NOT LIKE 'approved%' THEN
    RETURN NULL;
  END IF;
  IF rule.id IS NULL THEN
    RAISE EXCEPTION 'Plumbline: the rulebook of this review says nothing of signatures at the gate %.', NEW.gate
      USING ERRCODE = 'PL013';
  END IF;
  IF NEW.ended_at < NEW.opened_at OR NEW.ended_at >= NEW.expires_at THEN
    RAISE EXCEPTION 'Plumbline: a review is approved while it is open.' USING ERRCODE = 'PL013';
  END IF;
  SELECT coalesce(jsonb_agg(s.seat), '[]'), count(DISTINCT s.person_id) INTO signed, people
    FROM initiatives_signoff s
   WHERE s.review_id = NEW.id AND s.verdict IN ('approve', 'approve_with_condition') AND rule.seats ? s.seat
     AND NOT EXISTS (SELECT FROM initiatives_signoff later WHERE later.replaces_id = s.id)
     AND s.at <= NEW.ended_at AND s.at > NEW.ended_at - make_interval(days => rule.max_age_days + 1)
     AND s.facts->>'rulebook' = (SELECT digest FROM governance_rulebook WHERE id = NEW.rulebook_id)
     AND plumbline_sits(board, s.person_id, s.seat, NEW.ended_at)
     AND NOT plumbline_party(about.id, s.person_id, NEW.ended_at)
     AND EXISTS (SELECT FROM jsonb_array_elements(NEW.findings->'votes') told
                  WHERE told->>'digest' = s.digest AND told->'stale' = '[]');
  IF people < rule.quorum OR NOT signed @> rule.must_include THEN
    RAISE EXCEPTION 'Plumbline: the gate % needs fresh approvals of % seats, % among them; it has %.',
      NEW.gate, rule.quorum, rule.must_include, signed USING ERRCODE = 'PL013';
  END IF;
  IF EXISTS (SELECT FROM initiatives_signoff s WHERE s.review_id = NEW.id AND s.verdict = 'object'
                AND NOT EXISTS (SELECT FROM initiatives_signoff later WHERE later.replaces_id = s.id)
                AND s.criteria ?| array(SELECT jsonb_array_elements_text(rule.blocking))) THEN
    RAISE EXCEPTION 'Plumbline: an objection to a blocking criterion stands.' USING ERRCODE = 'PL013';
  END IF;
  RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION plumbline_guard_decision() FROM PUBLIC;
CREATE TRIGGER decided_as_its_rulebook_says AFTER INSERT OR UPDATE ON initiatives_review
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_decision();

-- A move names who may make it.
CREATE FUNCTION plumbline_guard_mover() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF NEW.basis = 'decision' AND NOT EXISTS (
       SELECT FROM initiatives_review WHERE id = NEW.review_id AND ended_by_id = NEW.by_id) THEN
    RAISE EXCEPTION 'Plumbline: a decision is carried out by who took it.' USING ERRCODE = 'PL010';
  END IF;
  IF NEW.basis IN ('step back', 'reopened', 'emergency')
     AND NOT coalesce(plumbline_decides(NEW.initiative_id, NEW.by_id, NEW.at), false) THEN
    RAISE EXCEPTION 'Plumbline: only who decides on the case moves it by %.', NEW.basis USING ERRCODE = 'PL010';
  END IF;
  IF NEW.basis = 'import' AND NEW.by_id IS NOT NULL AND NOT EXISTS (
       SELECT FROM governance_user WHERE id = NEW.by_id AND is_active AND is_admin) THEN
    RAISE EXCEPTION 'Plumbline: only admins import.' USING ERRCODE = 'PL010';
  END IF;
  RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION plumbline_guard_mover() FROM PUBLIC;
CREATE TRIGGER moved_by_who_may AFTER INSERT ON initiatives_stagechange
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_mover();

-- Only the guard of the stage marks a change consumed: it does so as the owner of the table, who alone may update it.
ALTER FUNCTION plumbline_guard_stage() SECURITY DEFINER;
ALTER FUNCTION plumbline_guard_stage() SET search_path = pg_catalog, public, pg_temp;

CREATE OR REPLACE FUNCTION plumbline_stage_change_was_used() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM initiatives_stagechange WHERE id = NEW.id AND consumed)
     OR NOT EXISTS (SELECT 1 FROM initiatives_historicalinitiative h
                     WHERE h.id = NEW.initiative_id AND h.history_xact = plumbline_xact() AND h.history_type = '~'
                       AND (h.stage, h.basis) = (NEW.to_stage, NEW.basis)) THEN
    RAISE EXCEPTION 'Plumbline: a stage change was written and the stage did not change.' USING ERRCODE = 'PL010';
  END IF;
  RETURN NULL;
END $$;

-- A seat approves the text that is with the board, for its board, and never the own work.
CREATE FUNCTION plumbline_guard_contract_approval() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  version governance_contractversion;
  about initiatives_initiative;
BEGIN
  SELECT * INTO version FROM governance_contractversion WHERE id = NEW.version_id;
  SELECT * INTO about FROM initiatives_initiative WHERE contract_id = version.contract_id;
  IF version.state <> 'in_review' OR version.digest <> NEW.digest THEN
    RAISE EXCEPTION 'Plumbline: this text of the contract is not with the board.' USING ERRCODE = 'PL003';
  END IF;
  IF NOT coalesce(plumbline_sits(plumbline_board_of(about.unit_id), NEW.person_id, NEW.seat, NEW.at), false) THEN
    RAISE EXCEPTION 'Plumbline: the signer does not hold the seat % of the board that decides this case.', NEW.seat
      USING ERRCODE = 'PL003';
  END IF;
  IF plumbline_party(about.id, NEW.person_id, NEW.at) OR EXISTS (
       SELECT FROM governance_contractversion WHERE contract_id = version.contract_id AND author_id = NEW.person_id
          AND state <> 'superseded') THEN
    RAISE EXCEPTION 'Plumbline: nobody approves a contract that they wrote, or of a case that they are party to.'
      USING ERRCODE = 'PL003';
  END IF;
  RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION plumbline_guard_contract_approval() FROM PUBLIC;
CREATE TRIGGER approved_by_the_board AFTER INSERT ON governance_contractapproval
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_contract_approval();

-- A contract version comes into force with the approvals of its text that the rulebook asks for.
CREATE FUNCTION plumbline_guard_in_force() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  rule governance_signingrule;
  signed jsonb;
  people bigint;
BEGIN
  SELECT * INTO rule FROM governance_signingrule
   WHERE rulebook_id = plumbline_rulebook() AND about = 'contract' AND tier = '';
  SELECT coalesce(jsonb_agg(a.seat), '[]'), count(DISTINCT a.person_id) INTO signed, people
    FROM governance_contractapproval a
   WHERE a.version_id = NEW.id AND a.digest = NEW.digest AND a.person_id <> NEW.author_id AND rule.seats ? a.seat;
  IF rule.id IS NULL OR people < rule.quorum OR NOT signed @> rule.must_include THEN
    RAISE EXCEPTION 'Plumbline: a contract version comes into force with the approvals of its text by %; it has %.',
      rule.must_include, signed USING ERRCODE = 'PL003';
  END IF;
  RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION plumbline_guard_in_force() FROM PUBLIC;
-- At the end of the transaction: what an edit would bring about is found by doing it, and taken back.
CREATE CONSTRAINT TRIGGER in_force_once_approved AFTER UPDATE ON governance_contractversion
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.state = 'in_force' AND OLD.state <> 'in_force')
  EXECUTE FUNCTION plumbline_guard_in_force();
CREATE CONSTRAINT TRIGGER never_made_in_force AFTER INSERT ON governance_contractversion
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.state = 'in_force') EXECUTE FUNCTION plumbline_guard_in_force();
"""

NO_GUARDS = """
DROP TRIGGER in_force_once_approved ON governance_contractversion;
DROP TRIGGER never_made_in_force ON governance_contractversion;
DROP FUNCTION plumbline_guard_in_force();
DROP FUNCTION plumbline_guard_contract_approval() CASCADE;
DROP FUNCTION plumbline_guard_mover() CASCADE;
DROP FUNCTION plumbline_guard_decision() CASCADE;
DROP FUNCTION plumbline_guard_vote() CASCADE;
DROP FUNCTION plumbline_decides(bigint, bigint, timestamptz);
DROP FUNCTION plumbline_party(bigint, bigint, timestamptz);
ALTER FUNCTION plumbline_guard_stage() SECURITY INVOKER;
"""


class Migration(migrations.Migration):
    dependencies = [("initiatives", "0021_shared_rights"), ("governance", "0015_guards")]

    operations = [migrations.RunSQL(GUARDS, NO_GUARDS)]
