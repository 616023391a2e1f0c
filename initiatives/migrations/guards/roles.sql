-- Who holds which role, who is a team member of an initiative, and who may act.

-- When the last review before a moment was approved or refused.
CREATE FUNCTION plumbline_last_decision(of_initiative bigint, moment timestamptz) RETURNS timestamptz
  LANGUAGE sql STABLE AS $$
  SELECT coalesce(max(r.ended_at), '-infinity') FROM initiatives_review r
   WHERE r.initiative_id = of_initiative AND r.outcome IN ('approved', 'approved_with_conditions', 'refused')
     AND r.ended_at < moment
$$;

-- Whether a person is a team member of an initiative: a role held, asked for or stood in for, ownership that ended after the last
-- decision, or, before anybody owned it, whoever registered it.
CREATE FUNCTION plumbline_team_member(of_initiative bigint, person bigint, moment timestamptz) RETURNS boolean
  LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM initiatives_roleassignment r WHERE r.initiative_id = of_initiative AND r.person_id IN (SELECT plumbline_accounts(person))
                    AND r.declined_at IS NULL AND (r.ended_at IS NULL
                         OR r.role = 'owner' AND r.accepted_at IS NOT NULL
                            AND r.ended_at > plumbline_last_decision(of_initiative, moment)))
      OR EXISTS (SELECT FROM initiatives_roleassignment r
                   JOIN governance_user u ON u.id = r.person_id AND u.is_active
                   JOIN governance_absence a ON a.person_id = r.person_id
                    AND a.starts_at <= moment AND a.ends_at > moment
                   JOIN governance_delegation d ON d.absence_id = a.id AND d.membership_id IS NULL
                    AND d.accepted_at IS NOT NULL AND d.ended_at IS NULL AND d.delegate_id IN (SELECT plumbline_accounts(person))
                  WHERE r.initiative_id = of_initiative AND r.accepted_at IS NOT NULL AND r.ended_at IS NULL)
      OR EXISTS (SELECT FROM initiatives_initiative i WHERE i.id = of_initiative AND i.registered_by_id IN (SELECT plumbline_accounts(person))
                    AND NOT EXISTS (SELECT FROM initiatives_roleassignment r WHERE r.initiative_id = i.id
                                       AND r.role = 'owner' AND r.accepted_at IS NOT NULL))
$$;

-- Whether a person opened a review or wrote evidence after the last decision, or wrote the contract. The reason of a stop is
-- evidence that the chair writes too.
CREATE FUNCTION plumbline_worked_on(of_initiative bigint, person bigint, moment timestamptz) RETURNS boolean
  LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM initiatives_review r WHERE r.initiative_id = of_initiative
                    AND r.opened_by_id IN (SELECT plumbline_accounts(person))
                    AND r.opened_at > plumbline_last_decision(of_initiative, moment))
      OR EXISTS (SELECT FROM initiatives_evidence e WHERE e.initiative_id = of_initiative
                    AND e.author_id IN (SELECT plumbline_accounts(person))
                    AND NOT e.generated AND e.withdrawn_at IS NULL
                    AND e.added_at > plumbline_last_decision(of_initiative, moment)
                    AND NOT EXISTS (SELECT FROM initiatives_coverage c
                                     WHERE c.evidence_id = e.id AND c.requirement = 'stop.reason'))
      OR EXISTS (SELECT FROM governance_contractversion v JOIN initiatives_initiative i ON i.contract_id = v.contract_id
                  WHERE i.id = of_initiative AND v.author_id IN (SELECT plumbline_accounts(person))
                    AND v.state <> 'superseded')
$$;

-- Whether a person decides on an initiative: the chair of its board, or the deputy while no chair is there. Whoever is a team
-- member or worked on it does not decide.
CREATE FUNCTION plumbline_decides(of_initiative bigint, person bigint, moment timestamptz) RETURNS boolean
  LANGUAGE plpgsql STABLE AS $$
DECLARE
  board bigint := (SELECT plumbline_board_of(unit_id) FROM initiatives_initiative WHERE id = of_initiative);
BEGIN
  IF plumbline_away(person, moment) OR plumbline_team_member(of_initiative, person, moment)
     OR plumbline_worked_on(of_initiative, person, moment) THEN
    RETURN false;
  END IF;
  RETURN plumbline_sits(board, person, 'chair', moment)
      OR plumbline_sits(board, person, 'deputy_chair', moment) AND NOT EXISTS (
           SELECT FROM governance_membership m WHERE m.board_id = board AND m.seat = 'chair'
              AND plumbline_sits(board, m.person_id, 'chair', moment)
              AND NOT plumbline_away(m.person_id, moment) AND NOT plumbline_team_member(of_initiative, m.person_id, moment)
              AND NOT plumbline_worked_on(of_initiative, m.person_id, moment));
END $$;

-- The accounts that count as one human's: this one, and all that hang together with it by pairs nobody has cleared.
CREATE FUNCTION plumbline_accounts(person bigint) RETURNS SETOF bigint LANGUAGE sql STABLE AS $$
  WITH RECURSIVE reached(id) AS (
    SELECT person
    UNION
    SELECT CASE WHEN pair.one_id = reached.id THEN pair.other_id ELSE pair.one_id END
      FROM reached JOIN governance_sameperson pair ON reached.id IN (pair.one_id, pair.other_id)
     WHERE pair.cleared_at IS NULL)
  SELECT id FROM reached
$$;

-- Whether a consent that the person gave for one of the seats at `given_at` counts at a later moment: the person is active,
-- has held such a seat of the board that decides without a break, and is not a team member (docs/domain.md, invariant 4).
CREATE FUNCTION plumbline_consents(of_initiative bigint, person bigint, seats text[], given_at timestamptz, moment timestamptz)
  RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM initiatives_initiative i, unnest(seats) seat
                  WHERE i.id = of_initiative
                    AND plumbline_sits_since(plumbline_board_of(i.unit_id), person, seat, given_at, moment)
                    AND (seat <> 'business_value' OR NOT EXISTS (
                          SELECT FROM initiatives_roleassignment r
                            JOIN governance_user o ON o.id = r.person_id AND o.is_active
                            JOIN governance_user u ON u.id = plumbline_consents.person AND u.manager_id = r.person_id
                           WHERE r.initiative_id = i.id AND r.role = 'owner' AND r.accepted_at IS NOT NULL
                             AND r.ended_at IS NULL)))
     AND NOT plumbline_team_member(of_initiative, person, moment)
$$;

-- A request takes effect only with consents that count then. Arguments: "once" where a consent is taken back or replaced
-- only if it no longer counts and the request is not yet in effect, and for each part its person, its moment, and its seats or, after "=", the column that names the seat.
CREATE FUNCTION plumbline_guard_consents() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  told jsonb := to_jsonb(NEW);
  stood jsonb := to_jsonb(OLD);
  moment timestamptz := plumbline_rule_time((plumbline_act(TG_TABLE_NAME)->>'at')::timestamptz);
  once boolean := TG_ARGV[0] = 'once';
  from_arg integer := CASE WHEN TG_ARGV[0] = 'once' THEN 1 ELSE 0 END;
  complete boolean := true;
  took_effect boolean := true;
  given boolean := false;
  lapsed boolean := false;
  counts boolean;
  who text;
  at text;
  seats text[];
BEGIN
  FOR n IN 0 .. (TG_NARGS - from_arg) / 3 - 1 LOOP
    took_effect := took_effect AND stood ->> TG_ARGV[from_arg + 3 * n] IS NOT NULL;
  END LOOP;
  FOR n IN 0 .. (TG_NARGS - from_arg) / 3 - 1 LOOP
    who := TG_ARGV[from_arg + 3 * n];
    at := TG_ARGV[from_arg + 3 * n + 1];
    seats := CASE WHEN TG_ARGV[from_arg + 3 * n + 2] LIKE '=%'
                    THEN ARRAY[stood ->> substr(TG_ARGV[from_arg + 3 * n + 2], 2)]
                  ELSE string_to_array(TG_ARGV[from_arg + 3 * n + 2], ',') END;
    complete := complete AND told ->> who IS NOT NULL;
    counts := stood ->> who IS NOT NULL AND plumbline_consents(
      NEW.initiative_id, (stood ->> who)::bigint, seats, (stood ->> at)::timestamptz, moment);
    IF told -> who IS DISTINCT FROM stood -> who OR told -> at IS DISTINCT FROM stood -> at THEN
      given := given OR told ->> who IS NOT NULL;
      IF once AND stood ->> who IS NOT NULL AND (counts OR took_effect) THEN
        RAISE EXCEPTION 'Plumbline: % of % stays as it was written.', who, TG_TABLE_NAME USING ERRCODE = 'PL048';
      END IF;
    ELSE
      lapsed := lapsed OR (stood ->> who IS NOT NULL AND NOT counts);
    END IF;
  END LOOP;
  IF given AND complete AND lapsed THEN
    RAISE EXCEPTION 'Plumbline: an earlier consent no longer counts, so this one does not bring it into effect.'
      USING ERRCODE = 'PL048', HINT = 'Somebody who holds the seat now gives the earlier one anew.';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER consents_count BEFORE UPDATE ON initiatives_answer
  FOR EACH ROW WHEN ((OLD.second_by_id IS DISTINCT FROM NEW.second_by_id))
  EXECUTE FUNCTION plumbline_guard_consents('accepted_by_id', 'accepted_at', '=accepted_seat', 'second_by_id', 'second_at', '=second_seat');
CREATE TRIGGER consents_count BEFORE UPDATE ON initiatives_standalonedeclaration
  FOR EACH ROW WHEN ((OLD.second_by_id IS DISTINCT FROM NEW.second_by_id))
  EXECUTE FUNCTION plumbline_guard_consents('accepted_by_id', 'accepted_at', '=accepted_seat', 'second_by_id', 'second_at', '=second_seat');
CREATE TRIGGER consents_count BEFORE UPDATE ON initiatives_waiver
  FOR EACH ROW WHEN (((OLD.chair_id, OLD.chair_at, OLD.risk_id, OLD.risk_at) IS DISTINCT FROM (NEW.chair_id, NEW.chair_at, NEW.risk_id, NEW.risk_at)))
  EXECUTE FUNCTION plumbline_guard_consents('once', 'chair_id', 'chair_at', 'chair,deputy_chair', 'risk_id', 'risk_at', 'risk_compliance');

-- Whether a team member of the initiative had the second factors of a person reset, in the day before or not yet done.
CREATE FUNCTION plumbline_reset_by_team_member(of_initiative bigint, person bigint, moment timestamptz) RETURNS boolean
  LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM governance_factorreset r
                  WHERE r.person_id = person AND r.stopped_at IS NULL AND r.asked_at <= moment
                    AND (r.done_at IS NULL OR r.done_at > moment - interval '24 hours')
                    AND plumbline_team_member(of_initiative, r.asked_by_id, moment))
$$;

-- Whether the person has one of these roles on the initiative (null: any), as accepted or standing in for whoever is away.
CREATE FUNCTION plumbline_has_role(of_initiative bigint, person bigint, wanted text[], moment timestamptz) RETURNS boolean
  LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT FROM initiatives_roleassignment r JOIN governance_user u ON u.id = person AND u.is_active
     WHERE r.initiative_id = of_initiative AND r.accepted_at IS NOT NULL AND r.declined_at IS NULL AND r.ended_at IS NULL
       AND (wanted IS NULL OR r.role = ANY (wanted))
       AND (r.person_id = person OR EXISTS (
             SELECT FROM governance_absence a JOIN governance_delegation d ON d.absence_id = a.id
              WHERE a.person_id = r.person_id AND a.starts_at <= moment AND a.ends_at > moment
                AND d.membership_id IS NULL AND d.accepted_at IS NOT NULL AND d.ended_at IS NULL
                AND d.delegate_id = person)))
$$;

-- Whether the person owns the initiative; whoever registered it stands in while nobody ever accepted to own it.
CREATE FUNCTION plumbline_owns(of_initiative bigint, person bigint, moment timestamptz) RETURNS boolean
  LANGUAGE sql STABLE AS $$
  SELECT plumbline_has_role(of_initiative, person, ARRAY['owner'], moment)
      OR EXISTS (SELECT FROM initiatives_initiative i JOIN governance_user u ON u.id = i.registered_by_id AND u.is_active
                  WHERE i.id = of_initiative AND i.registered_by_id = person
                    AND NOT EXISTS (SELECT FROM initiatives_roleassignment r WHERE r.initiative_id = i.id
                                       AND r.role = 'owner' AND r.accepted_at IS NOT NULL))
$$;

-- Whether the person may do on this initiative what the rule names.
CREATE FUNCTION plumbline_may(rule text, of_initiative bigint, person bigint, place text, moment timestamptz) RETURNS boolean
  LANGUAGE plpgsql STABLE AS $$
DECLARE
  board bigint := (SELECT plumbline_board_of(unit_id) FROM initiatives_initiative WHERE id = of_initiative);
BEGIN
  RETURN coalesce(CASE rule
    WHEN 'owns' THEN plumbline_owns(of_initiative, person, moment)
    WHEN 'decides' THEN plumbline_decides(of_initiative, person, moment)
    WHEN 'stops' THEN plumbline_owns(of_initiative, person, moment) OR plumbline_sits(board, person, 'chair', moment)
                      OR plumbline_decides(of_initiative, person, moment)
    WHEN 'concerned' THEN plumbline_owns(of_initiative, person, moment)
                      OR plumbline_has_role(of_initiative, person, NULL, moment)
                      OR EXISTS (SELECT FROM governance_membership m
                                  WHERE m.board_id = board AND m.person_id = person
                                    AND plumbline_sits(board, person, m.seat, moment))
    WHEN 'judges' THEN NOT plumbline_team_member(of_initiative, person, moment)
                      AND EXISTS (SELECT FROM governance_membership m
                                   WHERE m.board_id = board AND m.person_id = person
                                     AND plumbline_sits(board, person, m.seat, moment))
    WHEN 'runs' THEN plumbline_owns(of_initiative, person, moment)
                      OR plumbline_has_role(of_initiative, person, ARRAY['technical_lead'], moment)
    WHEN 'shuts' THEN plumbline_owns(of_initiative, person, moment) OR plumbline_decides(of_initiative, person, moment)
                      OR plumbline_has_role(of_initiative, person, ARRAY['technical_lead'], moment)
    WHEN 'seat' THEN plumbline_sits(board, person, place, moment) AND NOT plumbline_team_member(of_initiative, person, moment)
    WHEN 'refuses' THEN plumbline_decides(of_initiative, person, moment)
                      OR plumbline_sits(board, person, 'risk_compliance', moment)
    WHEN 'withdraws' THEN plumbline_owns(of_initiative, person, moment) OR plumbline_decides(of_initiative, person, moment)
                      OR EXISTS (SELECT FROM initiatives_initiative i
                                  WHERE i.id = of_initiative AND i.registered_by_id = person)
                      OR EXISTS (SELECT FROM governance_user u WHERE u.id = person AND u.is_active AND u.is_admin)
    WHEN 'imports' THEN EXISTS (SELECT FROM governance_user u WHERE u.id = person AND u.is_active AND u.is_admin)
  END, false);
END $$;

-- A lower risk tier is confirmed by somebody who does not report to the owner.
CREATE FUNCTION plumbline_guard_lower_tier() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF array_position(ARRAY['minimal', 'limited', 'high'], NEW.tier::text) < array_position(ARRAY['minimal', 'limited', 'high'], OLD.tier::text)
     AND EXISTS (
       SELECT FROM initiatives_roleassignment r JOIN governance_user u ON u.id = NEW.tier_confirmed_by_id
         JOIN governance_user o ON o.id = r.person_id AND o.is_active
        WHERE r.initiative_id = NEW.id AND r.role = 'owner' AND r.accepted_at IS NOT NULL AND r.ended_at IS NULL
          AND u.manager_id = r.person_id) THEN
    RAISE EXCEPTION 'Plumbline: nobody who reports to the owner lowers a risk tier.' USING ERRCODE = 'PL048';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER lower_tier_is_independent AFTER UPDATE ON initiatives_initiative
  FOR EACH ROW WHEN (OLD.tier IS DISTINCT FROM NEW.tier)
  EXECUTE FUNCTION plumbline_guard_lower_tier();

-- Arguments: pairs of a column that is written and the rule of who may write it. A rule that begins with "+" lets an
-- initiative rise, so it waits for whoever cools off.
CREATE FUNCTION plumbline_guard_actor() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  act json := plumbline_act(TG_TABLE_NAME);
  actor bigint := (act->>'id')::bigint;
  moment timestamptz := plumbline_rule_time((act->>'at')::timestamptz);
  told jsonb := to_jsonb(NEW);
  stood jsonb := CASE WHEN TG_OP = 'UPDATE' THEN to_jsonb(OLD) ELSE '{}' END;
  about bigint;
  name text;
  rule text;
  place text;
  allowed boolean;
BEGIN
  FOR n IN 0 .. TG_NARGS / 2 - 1 LOOP
    name := TG_ARGV[2 * n];
    rule := ltrim(TG_ARGV[2 * n + 1], '+');
    IF coalesce(told ->> name, '') = '' OR told -> name IS NOT DISTINCT FROM stood -> name THEN
      CONTINUE;
    END IF;
    about := plumbline_initiative_of(TG_TABLE_NAME, told);
    place := CASE WHEN name = 'risk_id' OR name LIKE 'tier%' OR TG_TABLE_NAME = 'initiatives_acceptedrisk'
                    THEN 'risk_compliance'
                  ELSE told ->> regexp_replace(name, '_(by_id|at|until)$', '_seat') END;
    allowed := CASE rule
      WHEN 'self' THEN told ->> 'person_id' = actor::text
      WHEN 'answers' THEN told ->> 'owner_id' = actor::text OR plumbline_may('owns', about, actor, NULL, moment)
      WHEN 'ends' THEN told ->> 'outcome' <> 'withdrawn' OR plumbline_may('stops', about, actor, NULL, moment)
      ELSE plumbline_may(rule, about, actor, place, moment) END;
    IF NOT coalesce(allowed, false) THEN
      RAISE EXCEPTION 'Plumbline: person % may not do this on the initiative (% of %: %).',
        coalesce(actor::text, 'none'), name, TG_TABLE_NAME, rule
        USING ERRCODE = 'PL048', HINT = 'Someone with the role or seat does it on the page of the initiative.';
    END IF;
    IF TG_ARGV[2 * n + 1] LIKE '+%' THEN
      PERFORM plumbline_cooled_off(
        actor, CASE rule WHEN 'seat' THEN ARRAY[place] WHEN 'decides' THEN ARRAY['chair', 'deputy_chair']
               ELSE '{}'::text[] END,
        (SELECT unit_id FROM initiatives_initiative WHERE id = about), moment);
    END IF;
  END LOOP;
  RETURN NULL;
END $$;
-- Who is responsible for a key is named by whoever may make one.
CREATE FUNCTION plumbline_guard_principal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  act json := plumbline_act(TG_TABLE_NAME);
BEGIN
  IF NOT plumbline_may('runs', plumbline_initiative_of(TG_TABLE_NAME, to_jsonb(NEW)), (act->>'id')::bigint, NULL,
                       plumbline_rule_time((act->>'at')::timestamptz)) THEN
    RAISE EXCEPTION 'Plumbline: person % may not name who is responsible for a key.', coalesce(act->>'id', 'none')
      USING ERRCODE = 'PL048', HINT = 'The owner or the technical lead names them.';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER named_by_who_may AFTER UPDATE ON governance_servicekey
  FOR EACH ROW WHEN ((OLD.principal_id IS DISTINCT FROM NEW.principal_id))
  EXECUTE FUNCTION plumbline_guard_principal();
CREATE TRIGGER changed_by_who_may AFTER UPDATE ON initiatives_acceptedrisk
  FOR EACH ROW WHEN (((OLD.risk_id IS DISTINCT FROM NEW.risk_id) OR (OLD.refused_by_id IS DISTINCT FROM NEW.refused_by_id) OR (OLD.reviewed_at IS DISTINCT FROM NEW.reviewed_at) OR (OLD.ended_by_id IS DISTINCT FROM NEW.ended_by_id)))
  EXECUTE FUNCTION plumbline_guard_actor('risk_id', '+seat', 'refused_by_id', 'refuses', 'reviewed_by_id', '+seat', 'reviewed_at', '+seat', 'ended_by_id', 'refuses');
CREATE TRIGGER changed_by_who_may AFTER UPDATE ON initiatives_answer
  FOR EACH ROW WHEN (((OLD.accepted_by_id IS DISTINCT FROM NEW.accepted_by_id) OR (OLD.second_by_id IS DISTINCT FROM NEW.second_by_id)))
  EXECUTE FUNCTION plumbline_guard_actor('accepted_by_id', '+seat', 'second_by_id', '+seat');
CREATE TRIGGER changed_by_who_may AFTER UPDATE ON initiatives_condition
  FOR EACH ROW WHEN (((OLD.due IS DISTINCT FROM NEW.due) OR (OLD.met_by_id IS DISTINCT FROM NEW.met_by_id) OR (OLD.not_met_at IS DISTINCT FROM NEW.not_met_at) OR (OLD.not_met_by_id IS DISTINCT FROM NEW.not_met_by_id)))
  EXECUTE FUNCTION plumbline_guard_actor('due', 'decides', 'met_by_id', 'answers', 'not_met_at', 'judges', 'not_met_by_id', 'judges');
CREATE TRIGGER changed_by_who_may AFTER UPDATE ON initiatives_hold
  FOR EACH ROW WHEN ((OLD.lifted_by_id IS DISTINCT FROM NEW.lifted_by_id))
  EXECUTE FUNCTION plumbline_guard_actor('lifted_by_id', '+decides');
CREATE TRIGGER changed_by_who_may AFTER UPDATE ON initiatives_initiative
  FOR EACH ROW WHEN (((OLD.tier IS DISTINCT FROM NEW.tier) OR (OLD.tier_confirmed_by_id IS DISTINCT FROM NEW.tier_confirmed_by_id) OR (OLD.tier_confirmed_at IS DISTINCT FROM NEW.tier_confirmed_at) OR (OLD.tier_scope IS DISTINCT FROM NEW.tier_scope) OR (OLD.reattested_at IS DISTINCT FROM NEW.reattested_at) OR (OLD.withdrawn_at IS DISTINCT FROM NEW.withdrawn_at)))
  EXECUTE FUNCTION plumbline_guard_actor('tier', '+seat', 'tier_confirmed_by_id', '+seat', 'tier_confirmed_at', '+seat', 'tier_scope', '+seat', 'reattested_at', '+decides', 'withdrawn_at', 'withdraws');
CREATE TRIGGER shown_by_who_may AFTER UPDATE ON initiatives_initiative
  FOR EACH ROW WHEN ((OLD.confidential AND (NOT NEW.confidential)))
  EXECUTE FUNCTION plumbline_guard_actor('confidential', 'owns');
CREATE TRIGGER changed_by_who_may AFTER UPDATE ON initiatives_killswitch
  FOR EACH ROW WHEN ((OLD.released_by_id IS DISTINCT FROM NEW.released_by_id))
  EXECUTE FUNCTION plumbline_guard_actor('released_by_id', '+stops');
CREATE TRIGGER changed_by_who_may AFTER UPDATE ON initiatives_pipeline
  FOR EACH ROW WHEN (((OLD.ended_by_id IS DISTINCT FROM NEW.ended_by_id) OR (OLD.confirmed_at IS DISTINCT FROM NEW.confirmed_at) OR (OLD.confirmed_by_id IS DISTINCT FROM NEW.confirmed_by_id) OR (OLD.confirmed_seat IS DISTINCT FROM NEW.confirmed_seat) OR (OLD.confirmed_until IS DISTINCT FROM NEW.confirmed_until)))
  EXECUTE FUNCTION plumbline_guard_actor('ended_by_id', 'shuts', 'confirmed_by_id', '+seat', 'confirmed_at', '+seat', 'confirmed_until', '+seat');
CREATE TRIGGER changed_by_who_may AFTER UPDATE ON initiatives_pipelinebar
  FOR EACH ROW WHEN (((OLD.ended_at IS DISTINCT FROM NEW.ended_at) OR (OLD.confirmed_at IS DISTINCT FROM NEW.confirmed_at) OR (OLD.confirmed_by_id IS DISTINCT FROM NEW.confirmed_by_id) OR (OLD.confirmed_seat IS DISTINCT FROM NEW.confirmed_seat) OR (OLD.confirmed_until IS DISTINCT FROM NEW.confirmed_until)))
  EXECUTE FUNCTION plumbline_guard_actor('ended_at', 'runs', 'confirmed_by_id', '+seat', 'confirmed_at', '+seat', 'confirmed_until', '+seat');
CREATE TRIGGER changed_by_who_may AFTER UPDATE ON initiatives_review
  FOR EACH ROW WHEN ((OLD.ended_by_id IS DISTINCT FROM NEW.ended_by_id))
  EXECUTE FUNCTION plumbline_guard_actor('ended_by_id', 'ends');
CREATE TRIGGER changed_by_who_may AFTER UPDATE ON initiatives_roleassignment
  FOR EACH ROW WHEN ((OLD.accepted_at IS DISTINCT FROM NEW.accepted_at))
  EXECUTE FUNCTION plumbline_guard_actor('accepted_at', '+self');
CREATE TRIGGER changed_by_who_may AFTER UPDATE ON initiatives_standalonedeclaration
  FOR EACH ROW WHEN (((OLD.accepted_by_id IS DISTINCT FROM NEW.accepted_by_id) OR (OLD.second_by_id IS DISTINCT FROM NEW.second_by_id)))
  EXECUTE FUNCTION plumbline_guard_actor('accepted_by_id', '+seat', 'second_by_id', '+seat');
CREATE TRIGGER changed_by_who_may AFTER UPDATE ON initiatives_waiver
  FOR EACH ROW WHEN (((OLD.chair_id IS DISTINCT FROM NEW.chair_id) OR (OLD.risk_id IS DISTINCT FROM NEW.risk_id) OR (OLD.refused_by_id IS DISTINCT FROM NEW.refused_by_id)))
  EXECUTE FUNCTION plumbline_guard_actor('chair_id', '+decides', 'risk_id', '+seat', 'refused_by_id', 'refuses');
CREATE TRIGGER done_by_who_may AFTER INSERT ON governance_servicekey
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_actor('made_by_id', 'runs');
CREATE TRIGGER done_by_who_may AFTER INSERT ON initiatives_acceptedrisk
  FOR EACH ROW
  EXECUTE FUNCTION plumbline_guard_actor('requested_by_id', 'concerned', 'risk_id', '+seat', 'refused_by_id', 'refuses', 'reviewed_by_id', '+seat', 'ended_by_id', 'refuses');
CREATE TRIGGER done_by_who_may AFTER INSERT ON initiatives_answer
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_actor('accepted_by_id', '+seat', 'second_by_id', '+seat');
CREATE TRIGGER done_by_who_may AFTER INSERT ON initiatives_condition
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_actor('due', 'decides', 'met_by_id', 'answers');
CREATE TRIGGER done_by_who_may AFTER INSERT ON initiatives_continuation
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_actor('by_id', '+decides');
CREATE TRIGGER done_by_who_may AFTER INSERT ON initiatives_excuse
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_actor('by_id', '+decides');
CREATE TRIGGER done_by_who_may AFTER INSERT ON initiatives_hold
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_actor('opened_by_id', 'concerned', 'lifted_by_id', '+decides');
CREATE TRIGGER done_by_who_may AFTER INSERT ON initiatives_initiative
  FOR EACH ROW
  EXECUTE FUNCTION plumbline_guard_actor('tier', '+seat', 'tier_confirmed_by_id', '+seat', 'tier_confirmed_at', '+seat', 'tier_scope', '+seat', 'reattested_at', '+decides', 'withdrawn_at', 'withdraws');
CREATE TRIGGER done_by_who_may AFTER INSERT ON initiatives_killswitch
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_actor('pressed_by_id', 'stops', 'released_by_id', '+stops');
CREATE TRIGGER done_by_who_may AFTER INSERT ON initiatives_pipeline
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_actor('by_id', 'runs', 'ended_by_id', 'shuts', 'confirmed_by_id', '+seat');
CREATE TRIGGER done_by_who_may AFTER INSERT ON initiatives_pipelinebar
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_actor('by_id', 'runs', 'confirmed_by_id', '+seat');
CREATE TRIGGER done_by_who_may AFTER INSERT ON initiatives_review
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_actor('opened_by_id', 'owns', 'ended_by_id', 'ends');
CREATE TRIGGER done_by_who_may AFTER INSERT ON initiatives_roleassignment
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_actor('accepted_at', '+self');
CREATE TRIGGER done_by_who_may AFTER INSERT ON initiatives_standalonedeclaration
  FOR EACH ROW
  EXECUTE FUNCTION plumbline_guard_actor('declared_by_id', 'owns', 'accepted_by_id', '+seat', 'second_by_id', '+seat');
CREATE TRIGGER done_by_who_may AFTER INSERT ON initiatives_waiver
  FOR EACH ROW
  EXECUTE FUNCTION plumbline_guard_actor('requested_by_id', 'owns', 'chair_id', '+decides', 'risk_id', '+seat', 'refused_by_id', 'refuses');

-- A pipeline is confirmed by the seat that the rulebook names.
CREATE FUNCTION plumbline_guard_pipeline_seat() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.confirmed_by_id IS NOT NULL
     AND (TG_OP = 'INSERT' OR (NEW.confirmed_seat, NEW.confirmed_at) IS DISTINCT FROM (OLD.confirmed_seat, OLD.confirmed_at))
     AND NOT EXISTS (
       SELECT FROM governance_signingrule r JOIN initiatives_initiative i ON i.id = NEW.initiative_id AND i.tier = r.tier
        WHERE r.rulebook_id = plumbline_rulebook() AND r.about = 'pipeline' AND r.seats ? NEW.confirmed_seat) THEN
    RAISE EXCEPTION 'Plumbline: the seat % does not confirm pipelines.', NEW.confirmed_seat
      USING ERRCODE = 'PL048', HINT = 'The seat that the rulebook names confirms them.';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER confirmed_by_its_seat AFTER INSERT OR UPDATE ON initiatives_pipeline
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_pipeline_seat();
