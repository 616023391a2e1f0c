-- Reviews, sign-offs and decisions.

CREATE FUNCTION plumbline_guard_signoff() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  of_initiative bigint;
  state text;
  gate_now text;
  opened timestamptz;
  ref text;
BEGIN
  SELECT r.initiative_id, r.outcome, r.gate, r.opened_at,
         plumbline_reference(i.number)
    INTO of_initiative, state, gate_now, opened, ref
    FROM initiatives_review r JOIN initiatives_initiative i ON i.id = r.initiative_id WHERE r.id = NEW.review_id;
  IF state <> 'open' THEN
    RAISE EXCEPTION 'Plumbline: the review has ended; nobody signs off any more.' USING ERRCODE = 'PL014';
  END IF;
  -- A sign-off is given in this review, and its statement speaks of this initiative, gate and seat: no sign-off is copied.
  IF NEW.at < opened OR (NEW.facts->>'initiative', NEW.facts->>'gate', NEW.facts->>'seat')
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
  IF EXISTS (SELECT 1 FROM initiatives_roleassignment WHERE initiative_id = of_initiative AND person_id IN (SELECT plumbline_accounts(NEW.person_id))
             AND accepted_at IS NOT NULL AND ended_at IS NULL) THEN
    RAISE EXCEPTION 'Plumbline: nobody signs on an initiative they hold a role on.' USING ERRCODE = 'PL014';
  END IF;
  IF NEW.verdict <> 'object' THEN
    IF EXISTS (SELECT 1 FROM initiatives_roleassignment WHERE initiative_id = of_initiative AND person_id IN (SELECT plumbline_accounts(NEW.person_id))
               AND declined_at IS NULL AND ended_at IS NULL) THEN
      RAISE EXCEPTION 'Plumbline: nobody approves on an initiative they are proposed for a role on.' USING ERRCODE = 'PL014';
    END IF;
    IF EXISTS (SELECT 1 FROM initiatives_evidence e WHERE e.author_id IN (SELECT plumbline_accounts(NEW.person_id))
               AND (e.id IN (SELECT value::bigint FROM jsonb_array_elements_text(NEW.covered_evidence))
                    OR NEW.facts->'evidence' ? e.id::text)) THEN
      RAISE EXCEPTION 'Plumbline: nobody approves on evidence they wrote.' USING ERRCODE = 'PL014';
    END IF;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER duties_are_separate BEFORE INSERT ON initiatives_signoff
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_signoff();

-- Whoever stands in for somebody with a role on an initiative does not sign on it (invariant 4).
CREATE FUNCTION plumbline_guard_stand_in() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.verdict NOT IN ('withdrawn', 'recuse') AND EXISTS (
       SELECT FROM initiatives_review v
         JOIN initiatives_roleassignment r ON r.initiative_id = v.initiative_id
          AND r.accepted_at IS NOT NULL AND r.ended_at IS NULL
         JOIN governance_absence a ON a.person_id = r.person_id AND a.starts_at <= NEW.at AND a.ends_at > NEW.at
         JOIN governance_delegation d ON d.absence_id = a.id AND d.membership_id IS NULL
          AND d.accepted_at IS NOT NULL AND d.ended_at IS NULL
        WHERE v.id = NEW.review_id AND d.delegate_id = NEW.person_id) THEN
    RAISE EXCEPTION 'Plumbline: nobody signs on an initiative on which they stand in for somebody.' USING ERRCODE = 'PL014';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER stand_ins_do_not_sign BEFORE INSERT ON initiatives_signoff
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_stand_in();

-- A sign-off is one of the board that decides the initiative, for a seat that signs at this gate.
CREATE FUNCTION plumbline_guard_seat_of_signoff() RETURNS trigger LANGUAGE plpgsql AS $$
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
      RAISE EXCEPTION 'Plumbline: a sign-off is withdrawn by its signer, or by who holds the seat.' USING ERRCODE = 'PL014';
    END IF;
    RETURN NULL;
  END IF;
  IF NOT coalesce(seated, false) THEN
    RAISE EXCEPTION 'Plumbline: the signer does not hold the seat % of the board that decides this initiative.', NEW.seat
      USING ERRCODE = 'PL014';
  END IF;
  IF NEW.verdict = 'recuse' THEN
    RETURN NULL;
  END IF;
  IF NOT EXISTS (SELECT FROM governance_signingrule r WHERE r.rulebook_id = review.rulebook_id
                    AND r.about = review.gate AND r.tier = about.tier AND r.seats ? NEW.seat) THEN
    RAISE EXCEPTION 'Plumbline: the seat % does not sign at the gate %.', NEW.seat, review.gate USING ERRCODE = 'PL014';
  END IF;
  IF about.registered_by_id IN (SELECT plumbline_accounts(NEW.person_id)) AND NOT EXISTS (
       SELECT FROM initiatives_roleassignment WHERE initiative_id = about.id AND role = 'owner'
          AND accepted_at IS NOT NULL) THEN
    RAISE EXCEPTION 'Plumbline: nobody signs on an initiative that they registered and nobody owned yet.'
      USING ERRCODE = 'PL014';
  END IF;
  IF NEW.verdict = 'object' THEN
    RETURN NULL;
  END IF;
  IF EXISTS (SELECT FROM initiatives_signoff s
              WHERE s.review_id = NEW.review_id AND s.person_id <> NEW.person_id
                AND s.person_id IN (SELECT plumbline_accounts(NEW.person_id))
                AND s.verdict IN ('approve', 'approve_with_condition')
                AND NOT EXISTS (SELECT FROM initiatives_signoff later WHERE later.replaces_id = s.id)) THEN
    RAISE EXCEPTION 'Plumbline: two accounts that may be one person''s approve a review once.' USING ERRCODE = 'PL014';
  END IF;
  IF plumbline_reset_by_team_member(about.id, NEW.person_id, NEW.at) THEN
    RAISE EXCEPTION 'Plumbline: a team member of this initiative had the second factors of the signer reset lately.'
      USING ERRCODE = 'PL014';
  END IF;
  IF NEW.seat = 'business_value' AND EXISTS (
       SELECT FROM initiatives_roleassignment r JOIN governance_user u ON u.id = NEW.person_id
         JOIN governance_user o ON o.id = r.person_id AND o.is_active
        WHERE r.initiative_id = about.id AND r.role = 'owner' AND r.accepted_at IS NOT NULL AND r.ended_at IS NULL
          AND u.manager_id = r.person_id) THEN
    RAISE EXCEPTION 'Plumbline: the seat % does not report to the owner.', NEW.seat USING ERRCODE = 'PL014';
  END IF;
  IF jsonb_typeof(NEW.facts->'contract') = 'object' AND EXISTS (
       SELECT FROM governance_contractversion WHERE contract_id = about.contract_id AND author_id IN (SELECT plumbline_accounts(NEW.person_id))
          AND state <> 'superseded') THEN
    RAISE EXCEPTION 'Plumbline: nobody approves on a contract they wrote.' USING ERRCODE = 'PL014';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER sign_off_of_the_board AFTER INSERT ON initiatives_signoff
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_seat_of_signoff();

-- A review begins open and under the rulebook in force. It ends by whoever decides, and as approved only with the
-- fresh sign-offs that its rulebook asks for, as they stand, by people who sit there now.
CREATE FUNCTION plumbline_guard_decision() RETURNS trigger LANGUAGE plpgsql AS $$
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
            AND NOT plumbline_team_member(about.id, NEW.ended_by_id, NEW.ended_at) END, false) THEN
    RAISE EXCEPTION 'Plumbline: a review is decided by the chair of the board of its initiative, or whom its rulebook names.'
      USING ERRCODE = 'PL013';
  END IF;
  IF NEW.outcome NOT LIKE 'approved%' THEN
    RETURN NULL;
  END IF;
  IF plumbline_reset_by_team_member(about.id, NEW.ended_by_id, NEW.ended_at) THEN
    RAISE EXCEPTION 'Plumbline: a team member of this initiative had the second factors of whoever decides reset lately.'
      USING ERRCODE = 'PL013';
  END IF;
  IF rule.id IS NULL THEN
    RAISE EXCEPTION 'Plumbline: the rulebook of this review says nothing of signatures at the gate %.', NEW.gate
      USING ERRCODE = 'PL013';
  END IF;
  IF NEW.ended_at < NEW.opened_at OR NEW.ended_at >= NEW.expires_at THEN
    RAISE EXCEPTION 'Plumbline: a review is approved while it is open.' USING ERRCODE = 'PL013';
  END IF;
  IF NEW.gate IN ('mvp', 'production') AND about.tier <> ''
     AND array_position(ARRAY['minimal', 'limited', 'high'], about.proposed_tier::text)
       > array_position(ARRAY['minimal', 'limited', 'high'], about.tier::text) THEN
    RAISE EXCEPTION 'Plumbline: a higher risk tier is proposed for this initiative.' USING ERRCODE = 'PL013';
  END IF;
  IF NEW.gate <> 'retire' AND EXISTS (
       SELECT FROM initiatives_obligation o
        WHERE o.initiative_id = about.id AND o.kind = 'stepped_back' AND o.completed_at IS NULL) THEN
    RAISE EXCEPTION 'Plumbline: a step back of this initiative is not answered.' USING ERRCODE = 'PL013';
  END IF;
  SELECT coalesce(jsonb_agg(s.seat), '[]'), count(DISTINCT (SELECT min(account) FROM plumbline_accounts(s.person_id) account)) INTO signed, people
    FROM initiatives_signoff s
   WHERE s.review_id = NEW.id AND s.verdict IN ('approve', 'approve_with_condition') AND rule.seats ? s.seat
     AND NOT EXISTS (SELECT FROM initiatives_signoff later WHERE later.replaces_id = s.id)
     AND s.at <= NEW.ended_at AND s.at > NEW.ended_at - make_interval(days => rule.max_age_days + 1)
     AND s.facts->>'rulebook' = (SELECT digest FROM governance_rulebook WHERE id = NEW.rulebook_id)
     AND plumbline_consents(about.id, s.person_id, ARRAY[s.seat::text], s.at, NEW.ended_at)
     AND EXISTS (SELECT FROM jsonb_array_elements(NEW.findings->'sign_offs') told
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
CREATE TRIGGER decided_as_its_rulebook_says AFTER INSERT OR UPDATE ON initiatives_review
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_decision();

-- An approving sign-off; retiring lets no initiative rise.
CREATE FUNCTION plumbline_guard_cooling_signoff() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  unit bigint;
BEGIN
  SELECT i.unit_id INTO unit FROM initiatives_review r JOIN initiatives_initiative i ON i.id = r.initiative_id
   WHERE r.id = NEW.review_id AND r.gate <> 'retire';
  IF unit IS NOT NULL THEN
    PERFORM plumbline_cooled_off(NEW.person_id, ARRAY[NEW.seat::text], unit, NEW.at);
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER signer_cooled_off BEFORE INSERT ON initiatives_signoff
  FOR EACH ROW WHEN ((NEW.verdict IN ('approve', 'approve_with_condition')))
  EXECUTE FUNCTION plumbline_guard_cooling_signoff();

-- A decision that approves.
CREATE FUNCTION plumbline_guard_cooling_decision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM plumbline_cooled_off(NEW.ended_by_id, ARRAY['chair', 'deputy_chair'], i.unit_id, NEW.ended_at)
     FROM initiatives_initiative i WHERE i.id = NEW.initiative_id;
  RETURN NEW;
END $$;
CREATE TRIGGER chair_cooled_off BEFORE UPDATE ON initiatives_review
  FOR EACH ROW WHEN (((OLD.outcome = 'open') AND (NEW.outcome IN ('approved', 'approved_with_conditions')) AND (NEW.gate <> 'retire')))
  EXECUTE FUNCTION plumbline_guard_cooling_decision();

-- A sign-off replaces only a sign-off of the same seat in the same review.
ALTER TABLE initiatives_signoff ADD CONSTRAINT replaces_one_of_the_same_seat
  FOREIGN KEY (review_id, seat, replaces_id) REFERENCES initiatives_signoff (review_id, seat, id);

-- A question names who asks it. The reply to an objection has its reason as the question.
CREATE FUNCTION plumbline_guard_question() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.asked_by_id IS DISTINCT FROM (plumbline_act(TG_TABLE_NAME)->>'id')::bigint AND NOT EXISTS (
       SELECT FROM initiatives_signoff s WHERE s.review_id = NEW.review_id AND s.person_id = NEW.asked_by_id
          AND s.verdict = 'object' AND s.reason = NEW.text) THEN
    RAISE EXCEPTION 'Plumbline: a question names who asks it.' USING ERRCODE = 'PL048';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER asked_by_who_acts AFTER INSERT ON initiatives_question
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_question();
