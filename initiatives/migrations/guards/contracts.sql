-- Who may approve a contract and put it in force.

-- A seat approves the text that is with the board, for its board, and never the own work.
CREATE FUNCTION plumbline_guard_contract_approval() RETURNS trigger LANGUAGE plpgsql AS $$
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
    RAISE EXCEPTION 'Plumbline: the signer does not hold the seat % of the board that decides this initiative.', NEW.seat
      USING ERRCODE = 'PL003';
  END IF;
  IF plumbline_team_member(about.id, NEW.person_id, NEW.at) OR EXISTS (
       SELECT FROM governance_contractversion WHERE contract_id = version.contract_id AND author_id = NEW.person_id
          AND state <> 'superseded') THEN
    RAISE EXCEPTION 'Plumbline: nobody approves a contract that they wrote, or of an initiative on whose team they are.'
      USING ERRCODE = 'PL003';
  END IF;
  IF EXISTS (SELECT FROM governance_contractapproval a
              WHERE a.version_id = NEW.version_id AND a.digest = NEW.digest AND a.id <> NEW.id
                AND (a.seat = NEW.seat OR a.person_id IN (SELECT plumbline_accounts(NEW.person_id)))
                AND plumbline_consents(about.id, a.person_id, ARRAY[a.seat::text], a.at, NEW.at)) THEN
    RAISE EXCEPTION 'Plumbline: this seat or person approved this text already, and the approval counts.'
      USING ERRCODE = 'PL003';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER approved_by_the_board AFTER INSERT ON governance_contractapproval
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_contract_approval();

-- A contract version comes into force with the approvals of its text that the rulebook asks for, as they count then.
CREATE FUNCTION plumbline_guard_in_force() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  rule governance_signingrule;
  of_initiative bigint := (SELECT id FROM initiatives_initiative WHERE contract_id = NEW.contract_id);
  -- The last approval brings the version into force, in its own transaction.
  moment timestamptz := (SELECT max(at) FROM governance_contractapproval WHERE version_id = NEW.id AND digest = NEW.digest);
  signed jsonb;
  people bigint;
BEGIN
  SELECT * INTO rule FROM governance_signingrule
   WHERE rulebook_id = plumbline_rulebook() AND about = 'contract' AND tier = '';
  SELECT coalesce(jsonb_agg(a.seat), '[]'), count(DISTINCT (SELECT min(account) FROM plumbline_accounts(a.person_id) account))
    INTO signed, people
    FROM governance_contractapproval a
   WHERE a.version_id = NEW.id AND a.digest = NEW.digest AND rule.seats ? a.seat
     AND NEW.author_id NOT IN (SELECT plumbline_accounts(a.person_id))
     AND plumbline_consents(of_initiative, a.person_id, ARRAY[a.seat::text], a.at, moment);
  IF rule.id IS NULL OR people < rule.quorum OR NOT signed @> rule.must_include THEN
    RAISE EXCEPTION 'Plumbline: a contract version comes into force with the approvals of its text by %; it has %.',
      rule.must_include, signed USING ERRCODE = 'PL003';
  END IF;
  IF EXISTS (SELECT FROM governance_clausecomment c
              WHERE c.contract_id = NEW.contract_id AND c.seat <> '' AND c.resolved_at IS NULL) THEN
    RAISE EXCEPTION 'Plumbline: a contract version does not come into force while a seat objects to the contract.'
      USING ERRCODE = 'PL003';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER in_force_once_approved AFTER UPDATE ON governance_contractversion
  FOR EACH ROW WHEN (((NEW.state = 'in_force') AND (OLD.state <> 'in_force')))
  EXECUTE FUNCTION plumbline_guard_in_force();
CREATE TRIGGER never_made_in_force AFTER INSERT ON governance_contractversion
  FOR EACH ROW WHEN ((NEW.state = 'in_force'))
  EXECUTE FUNCTION plumbline_guard_in_force();

-- The approval of a contract.
CREATE FUNCTION plumbline_guard_cooling_contract() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM plumbline_cooled_off(NEW.person_id, ARRAY[NEW.seat::text], i.unit_id, NEW.at)
     FROM governance_contractversion v JOIN initiatives_initiative i ON i.contract_id = v.contract_id
    WHERE v.id = NEW.version_id;
  RETURN NEW;
END $$;
CREATE TRIGGER signer_cooled_off BEFORE INSERT ON governance_contractapproval
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_cooling_contract();
