-- Contracts and the keys of the systems that ask them.

CREATE FUNCTION plumbline_guard_contract() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'Plumbline: contract versions are kept.' USING ERRCODE = 'PL003';
  END IF;
  IF (NEW.contract_id, NEW.number, NEW.author_id) IS DISTINCT FROM (OLD.contract_id, OLD.number, OLD.author_id) THEN
    RAISE EXCEPTION 'Plumbline: a contract version keeps its number and author.' USING ERRCODE = 'PL003';
  END IF;
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
CREATE TRIGGER contract_version_is_fixed BEFORE DELETE OR UPDATE ON governance_contractversion
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
  IF TG_OP = 'DELETE' OR (NEW.public, NEW.secret_hash, NEW.made_by_id, NEW.made_at)
       IS DISTINCT FROM (OLD.public, OLD.secret_hash, OLD.made_by_id, OLD.made_at) THEN
    RAISE EXCEPTION 'Plumbline: a service key is kept as it was made.'
      USING ERRCODE = 'PL050', HINT = 'Revoke it, and make another.';
  END IF;
  IF (NEW.principal_id IS DISTINCT FROM OLD.principal_id
      OR (OLD.principal_left_at IS NOT NULL AND NEW.principal_left_at IS DISTINCT FROM OLD.principal_left_at))
     AND (NEW.principal_left_at IS NOT NULL
          OR NOT EXISTS (SELECT FROM governance_user u WHERE u.id = NEW.principal_id AND u.is_active)) THEN
    RAISE EXCEPTION 'Plumbline: a person with an account answers for a key.'
      USING ERRCODE = 'PL050', HINT = 'Name somebody whose account is active.';
  END IF;
  IF OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at THEN
    RAISE EXCEPTION 'Plumbline: a revoked key stays revoked.' USING ERRCODE = 'PL050', HINT = 'Make another.';
  END IF;
  IF NEW.expires_at > OLD.expires_at THEN
    RAISE EXCEPTION 'Plumbline: a key does not live longer than it was made for.'
      USING ERRCODE = 'PL050', HINT = 'Rotate it.';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER key_is_kept BEFORE DELETE OR UPDATE ON governance_servicekey
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_key();

-- A token of the read API is made by its owner, and neither changes hands nor lives longer.
CREATE FUNCTION plumbline_guard_token() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.owner_id IS DISTINCT FROM (plumbline_act(TG_TABLE_NAME)->>'id')::bigint THEN
      RAISE EXCEPTION 'Plumbline: a token is made by its owner.'
        USING ERRCODE = 'PL050', HINT = 'Ask the owner to make it.';
    END IF;
    RETURN NEW;
  END IF;
  IF TG_OP = 'DELETE' OR (NEW.kind, NEW.public, NEW.secret_hash, NEW.owner_id, NEW.scopes, NEW.made_at)
       IS DISTINCT FROM (OLD.kind, OLD.public, OLD.secret_hash, OLD.owner_id, OLD.scopes, OLD.made_at) THEN
    RAISE EXCEPTION 'Plumbline: a token is kept as it was made.'
      USING ERRCODE = 'PL050', HINT = 'End it, and make another.';
  END IF;
  IF OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at THEN
    RAISE EXCEPTION 'Plumbline: an ended token stays ended.' USING ERRCODE = 'PL050', HINT = 'Make another.';
  END IF;
  IF NEW.expires_at > OLD.expires_at THEN
    RAISE EXCEPTION 'Plumbline: a token does not live longer than it was made for.'
      USING ERRCODE = 'PL050', HINT = 'Rotate it.';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER token_is_kept BEFORE INSERT OR DELETE OR UPDATE ON governance_apitoken
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_token();
