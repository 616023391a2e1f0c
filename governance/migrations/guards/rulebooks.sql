-- Rulebooks: published once, with the signing rules that their text says.

CREATE FUNCTION plumbline_guard_rulebook_part() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM governance_rulebook WHERE published_at IS NOT NULL
             AND id = CASE WHEN TG_OP = 'INSERT' THEN NEW.rulebook_id ELSE OLD.rulebook_id END) THEN
    RAISE EXCEPTION 'Plumbline: a published rulebook does not change; % on % is refused.', TG_OP, TG_TABLE_NAME
      USING ERRCODE = 'PL002', HINT = 'Load the changed text under a new version.';
  END IF;
  RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER part_of_immutable BEFORE INSERT OR DELETE OR UPDATE ON governance_criterion
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_rulebook_part();
CREATE TRIGGER part_of_immutable BEFORE INSERT OR DELETE OR UPDATE ON governance_gate
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_rulebook_part();
CREATE TRIGGER part_of_immutable BEFORE INSERT OR DELETE OR UPDATE ON governance_requirement
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_rulebook_part();

-- The rulebook in force: the one published last.
CREATE FUNCTION plumbline_rulebook() RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT id FROM governance_rulebook WHERE published_at IS NOT NULL ORDER BY published_at DESC, id DESC LIMIT 1
$$;

CREATE FUNCTION plumbline_guard_publishing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    RAISE EXCEPTION 'Plumbline: a rulebook is loaded as a draft, and published afterwards.' USING ERRCODE = 'PL002';
  END IF;
  IF NEW.digest <> encode(sha256(convert_to(NEW.source, 'UTF8')), 'hex') THEN
    RAISE EXCEPTION 'Plumbline: the text of rulebook % is not the one that was loaded.', NEW.version
      USING ERRCODE = 'PL002';
  END IF;
  IF NOT EXISTS (SELECT FROM governance_user WHERE id = NEW.admin_id AND is_active AND is_admin)
     OR NOT EXISTS (SELECT FROM governance_board b WHERE plumbline_sits(b.id, NEW.chair_id, 'chair', NEW.published_at))
  THEN
    RAISE EXCEPTION 'Plumbline: a rulebook is published by the chair of a board, after an admin proposed it.'
      USING ERRCODE = 'PL002';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER published_by_two AFTER INSERT ON governance_rulebook
  FOR EACH ROW WHEN ((NEW.published_at IS NOT NULL)) EXECUTE FUNCTION plumbline_guard_publishing();
CREATE TRIGGER published_by_two_afterwards AFTER UPDATE ON governance_rulebook
  FOR EACH ROW WHEN (((OLD.published_at IS NULL) AND (NEW.published_at IS NOT NULL)))
  EXECUTE FUNCTION plumbline_guard_publishing();

-- What signatures are asked for is written while a rulebook is published, and for older ones by who migrates.
CREATE FUNCTION plumbline_guard_signing_rule() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (
       SELECT FROM governance_rulebook r WHERE r.id = NEW.rulebook_id AND r.published_at IS NOT NULL
          AND (EXISTS (SELECT FROM governance_historicalrulebook h
                        WHERE h.id = r.id AND h.published_at IS NOT NULL AND h.history_xact = plumbline_xact())
               OR pg_has_role(session_user, (SELECT relowner FROM pg_class
                                              WHERE oid = 'public.governance_rulebook'::regclass), 'MEMBER')))
  THEN
    RAISE EXCEPTION 'Plumbline: what signatures a rulebook asks for is written when it is published.'
      USING ERRCODE = 'PL002', HINT = 'Publish a rulebook with other rules.';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER written_when_published AFTER INSERT ON governance_signingrule
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_signing_rule();

-- The moment by which a rule about waiting judges: what the act says, where its login may set the clock (demonstrations
-- and tests replay months); the database's own clock otherwise.
CREATE FUNCTION plumbline_rule_time(said timestamptz) RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'plumbline_clock')
     AND pg_has_role(session_user, 'plumbline_clock', 'member') THEN
    RETURN said;
  END IF;
  RETURN plumbline_now();
END $$;
