"""What the database holds of identity: what is pinned stays, links and keys say the same for ever, two accounts of one
human are flagged on both."""

from django.db import migrations

GUARDS = """
CREATE FUNCTION plumbline_guard_provider() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF (NEW.issuer, NEW.slug, NEW.key_claim) IS DISTINCT FROM (OLD.issuer, OLD.slug, OLD.key_claim) THEN
    RAISE EXCEPTION 'Plumbline: the issuer of a provider is pinned, with its address and its key.'
      USING ERRCODE = 'PL085', HINT = 'Switch this provider off and add another.';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER issuer_is_pinned BEFORE UPDATE ON governance_identityprovider
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_provider();

-- Who somebody is at a provider never becomes somebody else: a link ends, and another is made.
CREATE FUNCTION plumbline_guard_identity() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'Plumbline: a link with a provider ends, it is not deleted.' USING ERRCODE = 'PL085';
  END IF;
  IF TG_OP = 'INSERT' THEN
    IF NEW.linked_by_id IS DISTINCT FROM NEW.person_id AND NEW.linked_by_id IS NOT NULL
       AND NEW.counts_from < NEW.linked_at + interval '24 hours' THEN
      RAISE EXCEPTION 'Plumbline: what an admin links counts a day later.' USING ERRCODE = 'PL085';
    END IF;
    RETURN NEW;
  END IF;
  IF (NEW.person_id, NEW.provider_id, NEW.key, NEW.linked_at, NEW.linked_by_id, NEW.counts_from)
     IS DISTINCT FROM (OLD.person_id, OLD.provider_id, OLD.key, OLD.linked_at, OLD.linked_by_id, OLD.counts_from)
     OR (OLD.ended_at IS NOT NULL AND NEW IS DISTINCT FROM OLD) THEN
    RAISE EXCEPTION 'Plumbline: a link with a provider keeps its person and its key.'
      USING ERRCODE = 'PL085', HINT = 'End it and make another.';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER identity_is_personal BEFORE INSERT OR UPDATE OR DELETE ON governance_externalidentity
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_identity();

-- A key that a provider signed with is kept as it was published: signatures are checked by it years later.
CREATE FUNCTION plumbline_guard_provider_key() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF TG_OP = 'DELETE' OR (NEW.provider_id, NEW.kid, NEW.thumbprint, NEW.algorithm, NEW.jwk, NEW.fetched_at)
     IS DISTINCT FROM (OLD.provider_id, OLD.kid, OLD.thumbprint, OLD.algorithm, OLD.jwk, OLD.fetched_at) THEN
    RAISE EXCEPTION 'Plumbline: a key of a provider is kept as it was published.' USING ERRCODE = 'PL085';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER provider_key_is_kept BEFORE UPDATE OR DELETE ON governance_providerkey
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_provider_key();

-- While a pair stands, both accounts bear the flag by which every rule asks for the pair.
CREATE FUNCTION plumbline_guard_pair() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
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
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.may_be_another AND NOT NEW.may_be_another)
  EXECUTE FUNCTION plumbline_guard_pair();
"""

NO_GUARDS = """
DROP FUNCTION plumbline_guard_pair() CASCADE;
DROP FUNCTION plumbline_guard_provider_key() CASCADE;
DROP FUNCTION plumbline_guard_identity() CASCADE;
DROP FUNCTION plumbline_guard_provider() CASCADE;
"""


class Migration(migrations.Migration):
    dependencies = [("governance", "0030_identity_providers")]

    operations = [migrations.RunSQL(GUARDS, NO_GUARDS)]
