-- Accounts, second factors, identity providers and two accounts of one person.

-- What was reset by somebody else is not said to be signed with earlier than it was.
CREATE FUNCTION plumbline_guard_reset() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.signs_from IS NOT NULL AND (NEW.signs_from IS NULL OR NEW.signs_from < OLD.signs_from) THEN
    RAISE EXCEPTION 'Plumbline: the day after a password was reset by somebody else is not made shorter.'
      USING ERRCODE = 'PL044';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER reset_waits BEFORE UPDATE ON governance_user
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_reset();

-- Raises where the person signs nothing yet that lets an initiative of this unit rise: after a password that somebody else
-- reset, and in the first day of all the seats by which it would be signed. Whether a seat is held is asked elsewhere.
CREATE FUNCTION plumbline_cooled_off(who bigint, seats text[], unit bigint, said timestamptz) RETURNS void
  LANGUAGE plpgsql STABLE AS $$
DECLARE
  moment timestamptz := least(said, plumbline_rule_time(said)) + interval '1 minute';
  since timestamptz;
  counts boolean;
BEGIN
  SELECT u.signs_from INTO since FROM governance_user u WHERE u.id = who;
  IF since > moment THEN
    RAISE EXCEPTION 'Plumbline: the password was reset by somebody else; what lets an initiative rise is signed from %.', since
      USING ERRCODE = 'PL044';
  END IF;
  SELECT bool_or(m.confirmed_at IS NOT NULL OR coalesce(m.signs_from, moment) <= moment), min(m.signs_from)
    INTO counts, since
    FROM governance_membership m
   WHERE m.person_id = who AND m.seat = ANY (seats)
     AND m.starts_at <= said AND (m.ends_at IS NULL OR m.ends_at > said)
     AND m.board_id = plumbline_board_of(unit);
  IF NOT counts THEN
    RAISE EXCEPTION 'Plumbline: the seat is in its first day; what lets an initiative rise is signed from %.', since
      USING ERRCODE = 'PL043', HINT = 'The chair or a second admin can confirm the seat.';
  END IF;
END $$;

CREATE FUNCTION plumbline_guard_identity() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  IF NEW.linked_by_id IS DISTINCT FROM NEW.person_id AND NEW.linked_by_id IS NOT NULL
     AND NEW.counts_from < NEW.linked_at + interval '24 hours' THEN
    RAISE EXCEPTION 'Plumbline: what an admin links counts a day later.' USING ERRCODE = 'PL085';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER identity_counts_later BEFORE INSERT ON governance_externalidentity
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_identity();

-- While a pair stands, both accounts bear the flag by which every rule asks for the pair.
CREATE FUNCTION plumbline_guard_pair() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM governance_sameperson p JOIN governance_user u ON u.id IN (p.one_id, p.other_id)
             WHERE p.cleared_at IS NULL AND NOT u.may_be_another
               AND (TG_TABLE_NAME <> 'governance_user' OR u.id = (to_jsonb(NEW)->>'id')::bigint)
               AND (TG_TABLE_NAME <> 'governance_sameperson' OR p.id = (to_jsonb(NEW)->>'id')::bigint)) THEN
    RAISE EXCEPTION 'Plumbline: two accounts that may be one person''s are both marked so.' USING ERRCODE = 'PL085';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER pair_is_flagged AFTER INSERT OR UPDATE ON governance_sameperson
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION plumbline_guard_pair();
CREATE CONSTRAINT TRIGGER pair_stays_flagged AFTER UPDATE OF may_be_another ON governance_user
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((OLD.may_be_another AND (NOT NEW.may_be_another)))
  EXECUTE FUNCTION plumbline_guard_pair();

-- Rights are given by an admin, and never to oneself. What someone else changed about the account lets its person sign
-- nothing for a day that lets an initiative rise. The founding of an installation, before its first review, waits for nothing.
CREATE FUNCTION plumbline_guard_account() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  act json := plumbline_act(TG_TABLE_NAME);
  who bigint := (act->>'id')::bigint;
  moment timestamptz := plumbline_rule_time((act->>'at')::timestamptz);
  waits boolean := coalesce(NEW.signs_from >= moment + interval '23 hours 50 minutes', false);
  founding boolean;
  by_admin boolean;
  given boolean := TG_OP = 'INSERT' AND (NEW.is_admin OR NEW.is_auditor OR NEW.is_privacy_officer);
  rises boolean := TG_OP = 'INSERT' AND NEW.is_admin;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF (NEW.password, NEW.email, NEW.is_active, NEW.is_admin, NEW.is_auditor, NEW.is_privacy_officer,
        NEW.address_changed_at) IS NOT DISTINCT FROM
       (OLD.password, OLD.email, OLD.is_active, OLD.is_admin, OLD.is_auditor, OLD.is_privacy_officer,
        OLD.address_changed_at) THEN
      RETURN NEW;
    END IF;
    rises := NEW.is_admin AND NOT OLD.is_admin;
    given := (NEW.is_admin, NEW.is_auditor, NEW.is_privacy_officer)
             IS DISTINCT FROM (OLD.is_admin, OLD.is_auditor, OLD.is_privacy_officer);
  END IF;
  founding := NOT EXISTS (SELECT 1 FROM governance_entry WHERE kind = 'review opened');
  by_admin := EXISTS (SELECT 1 FROM governance_user WHERE id = who AND is_active AND is_admin);
  IF given AND NOT (by_admin OR who IS NULL AND (founding OR NOT EXISTS (
       SELECT 1 FROM governance_user WHERE is_active AND is_admin))) THEN
    RAISE EXCEPTION 'Plumbline: only an admin gives or takes the rights of an admin, auditor or privacy officer.'
      USING ERRCODE = 'PL046';
  END IF;
  IF rises AND NOT founding AND NOT waits THEN
    RAISE EXCEPTION 'Plumbline: a new admin signs what lets an initiative rise a day later.' USING ERRCODE = 'PL044';
  END IF;
  IF TG_OP = 'INSERT' THEN
    RETURN NEW;
  END IF;
  IF NEW.password IS DISTINCT FROM OLD.password AND who IS DISTINCT FROM NEW.id AND NOT founding AND NOT waits THEN
    RAISE EXCEPTION 'Plumbline: whose password someone else changed signs what lets an initiative rise a day later.'
      USING ERRCODE = 'PL044';
  END IF;
  IF NEW.is_active IS DISTINCT FROM OLD.is_active AND (who = NEW.id OR NOT (by_admin OR who IS NULL)) THEN
    RAISE EXCEPTION 'Plumbline: an account is deactivated and reactivated by an admin or its directory.'
      USING ERRCODE = 'PL046';
  END IF;
  IF NEW.email IS DISTINCT FROM OLD.email
     AND NOT coalesce(NEW.address_changed_at >= moment - interval '10 minutes', false) THEN
    RAISE EXCEPTION 'Plumbline: a changed email address waits a day before links go there.' USING ERRCODE = 'PL044';
  END IF;
  IF OLD.address_changed_at IS NOT NULL AND NEW.address_changed_at IS NULL AND (
       NEW.password IS NOT DISTINCT FROM OLD.password OR OLD.address_changed_at + interval '23 hours 50 minutes' > moment) THEN
    RAISE EXCEPTION 'Plumbline: a changed email address counts after a day, once a password was set.'
      USING ERRCODE = 'PL044';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER account_changed_by_who_may BEFORE INSERT OR UPDATE ON governance_user
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_account();

-- A new passkey waits a day before it signs, and an admin confirms it earlier.
CREATE FUNCTION plumbline_guard_passkey() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  act json := plumbline_act(TG_TABLE_NAME);
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.signs_from < plumbline_rule_time((act->>'at')::timestamptz) + interval '23 hours 50 minutes' THEN
      RAISE EXCEPTION 'Plumbline: a new passkey signs a day later.' USING ERRCODE = 'PL044';
    END IF;
  ELSIF NEW.confirmed_by_id IS DISTINCT FROM OLD.confirmed_by_id AND NOT EXISTS (
       SELECT 1 FROM governance_user WHERE id = (act->>'id')::bigint AND is_active AND is_admin) THEN
    RAISE EXCEPTION 'Plumbline: a passkey is confirmed by an admin.' USING ERRCODE = 'PL046';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER passkey_waits BEFORE INSERT OR UPDATE ON governance_passkey
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_passkey();

-- How people sign in is kept by admins. Arguments: the columns that say who did it.
CREATE FUNCTION plumbline_guard_keeper() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  who bigint := (plumbline_act(TG_TABLE_NAME)->>'id')::bigint;
  told jsonb := to_jsonb(NEW);
  stood jsonb := CASE WHEN TG_OP = 'UPDATE' THEN to_jsonb(OLD) ELSE '{}' END;
  name text;
BEGIN
  FOREACH name IN ARRAY TG_ARGV LOOP
    IF told ->> name IS NULL OR told -> name IS NOT DISTINCT FROM stood -> name THEN
      CONTINUE;
    END IF;
    IF told ->> 'person_id' = who::text AND name IN ('linked_by_id', 'ended_by_id', 'stopped_by_id') THEN
      CONTINUE;  -- of one's own account
    END IF;
    IF NOT EXISTS (SELECT 1 FROM governance_user WHERE id = who AND is_active AND is_admin) THEN
      RAISE EXCEPTION 'Plumbline: % is changed by an admin.', TG_TABLE_NAME USING ERRCODE = 'PL046';
    END IF;
  END LOOP;
  IF TG_TABLE_NAME = 'governance_externalidentity' AND TG_OP = 'INSERT' AND who IS NOT NULL
     AND told ->> 'linked_by_id' IS NULL THEN
    RAISE EXCEPTION 'Plumbline: a link with a provider names who made it.' USING ERRCODE = 'PL046';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER kept_by_who_may BEFORE INSERT OR UPDATE ON governance_breakglass
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_keeper('marked_by_id');
CREATE TRIGGER kept_by_who_may BEFORE INSERT OR UPDATE ON governance_directory
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_keeper('made_by_id', 'revoked_by_id');
CREATE TRIGGER kept_by_who_may BEFORE INSERT OR UPDATE ON governance_externalidentity
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_keeper('linked_by_id', 'ended_by_id');
CREATE TRIGGER kept_by_who_may BEFORE INSERT OR UPDATE ON governance_factorreset
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_keeper('asked_by_id', 'stopped_by_id');
CREATE TRIGGER kept_by_who_may BEFORE INSERT OR UPDATE ON governance_sameperson
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_keeper('found_by_id', 'cleared_by_id');
