-- Contracts and the keys of the systems that ask them.

CREATE FUNCTION plumbline_guard_contract() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state IN ('in_force', 'superseded')
     AND (NEW.digest, NEW.starts_at) IS DISTINCT FROM (OLD.digest, OLD.starts_at) THEN
    RAISE EXCEPTION 'Plumbline: a contract version that was put in force does not change.'
      USING ERRCODE = 'PL003', HINT = 'Write the next version.';
  END IF;
  IF (OLD.state, NEW.state) NOT IN (('draft','draft'), ('draft','in_review'), ('in_review','in_review'),
     ('in_review','draft'), ('in_review','in_force'), ('in_force','in_force'), ('in_force','superseded'),
     ('superseded','superseded')) THEN
    RAISE EXCEPTION 'Plumbline: a contract version does not go from % to %.', OLD.state, NEW.state
      USING ERRCODE = 'PL003';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER contract_version_is_fixed BEFORE UPDATE ON governance_contractversion
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_contract();

CREATE FUNCTION plumbline_guard_clause() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM governance_contractversion WHERE state <> 'draft'
             AND id IN (CASE WHEN TG_OP = 'DELETE' THEN OLD.version_id ELSE NEW.version_id END,
                        CASE WHEN TG_OP = 'INSERT' THEN NEW.version_id ELSE OLD.version_id END)) THEN
    RAISE EXCEPTION 'Plumbline: the clauses of a contract version are fixed once it leaves draft.'
      USING ERRCODE = 'PL003', HINT = 'Write the next version.';
  END IF;
  RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER clause_is_fixed BEFORE INSERT OR DELETE OR UPDATE ON governance_clause
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_clause();

CREATE FUNCTION plumbline_guard_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.principal_id IS DISTINCT FROM OLD.principal_id
      OR (OLD.principal_left_at IS NOT NULL AND NEW.principal_left_at IS DISTINCT FROM OLD.principal_left_at))
     AND (NEW.principal_left_at IS NOT NULL
          OR NOT EXISTS (SELECT FROM governance_user u WHERE u.id = NEW.principal_id AND u.is_active)) THEN
    RAISE EXCEPTION 'Plumbline: a person with an account answers for a key.'
      USING ERRCODE = 'PL050', HINT = 'Name somebody whose account is active.';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER key_is_answered_for BEFORE UPDATE ON governance_servicekey
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_key();

CREATE FUNCTION plumbline_guard_expiry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'Plumbline: a key or token does not live longer than it was made for.'
    USING ERRCODE = 'PL050', HINT = 'Rotate it.';
END $$;
CREATE TRIGGER lives_no_longer BEFORE UPDATE ON governance_apitoken
  FOR EACH ROW WHEN ((NEW.expires_at > OLD.expires_at)) EXECUTE FUNCTION plumbline_guard_expiry();
CREATE TRIGGER lives_no_longer BEFORE UPDATE ON governance_servicekey
  FOR EACH ROW WHEN ((NEW.expires_at > OLD.expires_at)) EXECUTE FUNCTION plumbline_guard_expiry();
