-- Units, boards, seats and absences.

-- A unit stands where its path says: below its parent, and so below itself never. Checked at COMMIT, because an act
-- moves a unit and what is below it in several statements.
CREATE FUNCTION plumbline_guard_tree() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM governance_unit u LEFT JOIN governance_unit p ON p.id = u.parent_id
              WHERE (u.id = NEW.id OR u.parent_id = NEW.id)
                AND u.path IS DISTINCT FROM coalesce(p.path, '/') || u.code || '/') THEN
    RAISE EXCEPTION 'Plumbline: unit % does not stand where its path says.', NEW.name
      USING ERRCODE = 'PL040', HINT = 'Move it by its act, which takes along what is below it.';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER stands_in_the_tree AFTER INSERT OR UPDATE ON governance_unit
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION plumbline_guard_tree();

-- Nobody and nothing comes to a unit that was merged into another. The lock makes whoever comes wait for a merge that
-- is under way, and see it.
CREATE FUNCTION plumbline_unit_in_being(wanted bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  gone text;
  other text;
BEGIN
  PERFORM FROM governance_unit WHERE id = wanted FOR KEY SHARE;
  SELECT u.name, i.name INTO gone, other
    FROM governance_unit u JOIN governance_unit i ON i.id = u.merged_into_id WHERE u.id = wanted;
  IF gone IS NOT NULL THEN
    RAISE EXCEPTION 'Plumbline: % was merged into %.', gone, other
      USING ERRCODE = 'PL041', HINT = format('Choose %s.', other);
  END IF;
END $$;

CREATE FUNCTION plumbline_guard_unit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.unit_id IS NOT NULL AND (TG_OP = 'INSERT' OR NEW.unit_id IS DISTINCT FROM OLD.unit_id) THEN
    PERFORM plumbline_unit_in_being(NEW.unit_id);
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER unit_in_being BEFORE INSERT OR UPDATE ON governance_board
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_unit();
CREATE TRIGGER unit_in_being BEFORE INSERT OR UPDATE ON governance_user
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_unit();

CREATE FUNCTION plumbline_guard_parent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.parent_id IS NOT NULL AND (TG_OP = 'INSERT' OR NEW.parent_id IS DISTINCT FROM OLD.parent_id) THEN
    PERFORM plumbline_unit_in_being(NEW.parent_id);
  END IF;
  IF TG_OP = 'UPDATE' AND OLD.merged_into_id IS NOT NULL
     AND (NEW.merged_into_id, NEW.parent_id) IS DISTINCT FROM (OLD.merged_into_id, OLD.parent_id) THEN
    RAISE EXCEPTION 'Plumbline: a unit that was merged stays where it was.' USING ERRCODE = 'PL041';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER parent_in_being BEFORE INSERT OR UPDATE ON governance_unit
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_parent();

-- The board that decides what belongs to a unit: the nearest up the tree that decides, the unit's own first.
CREATE FUNCTION plumbline_board_of(unit bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT b.id FROM governance_unit u
    JOIN governance_unit above ON starts_with(u.path, above.path)
    JOIN governance_board b ON b.unit_id = above.id AND b.decides_from IS NOT NULL
   WHERE u.id = unit ORDER BY length(above.path) DESC LIMIT 1
$$;

-- A board takes over from another only while somebody sits as its chair or deputy.
CREATE FUNCTION plumbline_guard_board() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.decides_from IS NOT NULL AND (TG_OP = 'INSERT' OR OLD.decides_from IS NULL)
     AND plumbline_board_of(NEW.unit_id) IS NOT NULL
     AND NOT EXISTS (SELECT FROM governance_membership m JOIN governance_user u ON u.id = m.person_id
                      WHERE m.board_id = NEW.id AND m.seat IN ('chair', 'deputy_chair') AND u.is_active
                        AND m.starts_at <= NEW.decides_from
                        AND (m.ends_at IS NULL OR m.ends_at > NEW.decides_from)) THEN
    RAISE EXCEPTION 'Plumbline: a board without a chair takes nothing over.'
      USING ERRCODE = 'PL049', HINT = 'Fill its seats first.';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER board_takes_over BEFORE INSERT OR UPDATE ON governance_board
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_board();

-- Whether a person holds a seat of a board at a moment, as its holder or as delegate; nobody seats themselves.
CREATE FUNCTION plumbline_sits(board bigint, person bigint, place text, moment timestamptz) RETURNS boolean
  LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT FROM governance_membership m JOIN governance_user u ON u.id = m.person_id
     WHERE m.board_id = board AND m.person_id = person AND m.seat = place AND u.is_active
       AND m.granted_by_id IS DISTINCT FROM m.person_id
       AND m.starts_at <= moment AND (m.ends_at IS NULL OR m.ends_at > moment))
$$;

-- Whether a person holds a seat at a moment that they held without a break since an earlier one.
CREATE FUNCTION plumbline_sits_since(board bigint, person bigint, place text, since timestamptz, moment timestamptz)
  RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT FROM governance_membership m JOIN governance_user u ON u.id = m.person_id
     WHERE m.board_id = board AND m.person_id = person AND m.seat = place AND u.is_active
       AND m.granted_by_id IS DISTINCT FROM m.person_id
       AND m.starts_at <= since AND (m.ends_at IS NULL OR m.ends_at > moment))
$$;

CREATE FUNCTION plumbline_away(person bigint, moment timestamptz) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM governance_absence a
                  WHERE a.person_id = person AND a.starts_at <= moment AND a.ends_at > moment)
$$;

-- A seat begins when it is granted, not before; it signs what lets an initiative rise after its first day, or once somebody
-- else confirmed it. Seats granted before the first review was ever opened set an installation up, and wait for nothing.
CREATE FUNCTION plumbline_guard_seat() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  moment timestamptz := plumbline_rule_time((plumbline_act(TG_TABLE_NAME)->>'at')::timestamptz);
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.starts_at < moment - interval '10 minutes' THEN
      RAISE EXCEPTION 'Plumbline: no seat begins before it is granted.'
        USING ERRCODE = 'PL043', HINT = 'Let it begin now, or on a day to come.';
    END IF;
    IF NEW.confirmed_at IS NOT NULL THEN
      RAISE EXCEPTION 'Plumbline: a seat is confirmed after it was granted, by somebody else.'
        USING ERRCODE = 'PL043';
    END IF;
    IF NEW.signs_from IS NULL OR NEW.signs_from < NEW.starts_at OR (NEW.signs_from < NEW.starts_at + interval '1 day'
        AND EXISTS (SELECT 1 FROM governance_entry WHERE kind = 'review opened')) THEN
      RAISE EXCEPTION 'Plumbline: a new seat signs what lets an initiative rise after its first day.'
        USING ERRCODE = 'PL043';
    END IF;
    RETURN NEW;
  END IF;
  IF (NEW.confirmed_by_id, NEW.confirmed_at) IS DISTINCT FROM (OLD.confirmed_by_id, OLD.confirmed_at) AND (
       NEW.confirmed_by_id IS NULL OR NEW.confirmed_by_id = NEW.person_id OR NEW.confirmed_by_id IS NOT DISTINCT FROM NEW.granted_by_id
       OR NOT EXISTS (
         SELECT 1 FROM governance_user u WHERE u.id = NEW.confirmed_by_id AND u.is_active
            AND coalesce(u.signs_from, moment) <= moment + interval '1 minute'
            AND (u.is_admin OR EXISTS (
              SELECT 1 FROM governance_membership m
               WHERE m.board_id = NEW.board_id AND m.person_id = u.id AND m.seat IN ('chair', 'deputy_chair')
                 AND m.starts_at <= moment + interval '1 minute' AND (m.ends_at IS NULL OR m.ends_at > moment)
                 AND m.granted_by_id IS DISTINCT FROM m.person_id
                 AND (m.confirmed_at IS NOT NULL OR coalesce(m.signs_from, moment) <= moment + interval '1 minute')))
       )) THEN
    RAISE EXCEPTION 'Plumbline: a seat is confirmed by the chair of its board or an admin who did not grant it.'
      USING ERRCODE = 'PL043';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER seat_is_granted_now BEFORE INSERT OR UPDATE ON governance_membership
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_seat();

-- A seat is granted by an admin, or taken over by a delegate from its holder, until that seat ends. A seat that was taken
-- over is not lent again. The end of a seat is not taken back.
CREATE FUNCTION plumbline_guard_grant() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  who bigint := (plumbline_act(TG_TABLE_NAME)->>'id')::bigint;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF OLD.ends_at IS NOT NULL AND (NEW.ends_at IS NULL OR NEW.ends_at > OLD.ends_at) THEN
      RAISE EXCEPTION 'Plumbline: the end of a seat is not taken back.'
        USING ERRCODE = 'PL043', HINT = 'Grant the seat again.';
    END IF;
    RETURN NEW;
  END IF;
  IF NEW.granted_by_id = who AND EXISTS (SELECT 1 FROM governance_user WHERE id = who AND is_active AND is_admin) THEN
    RETURN NEW;
  END IF;
  IF who = NEW.person_id AND EXISTS (
       SELECT 1 FROM governance_membership held
         JOIN governance_absence a ON a.person_id = held.person_id AND a.ends_at >= NEW.ends_at
         JOIN governance_delegation d ON d.absence_id = a.id AND d.membership_id = held.id AND d.delegate_id = who
                                     AND d.ended_at IS NULL
        WHERE held.id = NEW.delegate_of_id AND (held.board_id, held.seat) = (NEW.board_id, NEW.seat)
          AND held.person_id = NEW.granted_by_id AND held.granted_by_id IS DISTINCT FROM held.person_id
          AND held.delegate_of_id IS NULL AND (held.ends_at IS NULL OR held.ends_at >= NEW.ends_at)) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'Plumbline: a seat is granted by an admin, or taken over by a delegate from its holder.'
    USING ERRCODE = 'PL043';
END $$;
CREATE TRIGGER granted_by_who_may BEFORE INSERT OR UPDATE ON governance_membership
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_grant();
