"""Votes, decisions and approvals of contracts are signed by whoever cooled off (governance 0017, docs/adr/0043)."""

from django.db import migrations

GUARDS = """
-- An approving vote; retiring lets no case rise.
CREATE FUNCTION plumbline_guard_cooling_vote() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
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
REVOKE EXECUTE ON FUNCTION plumbline_guard_cooling_vote() FROM PUBLIC;
CREATE TRIGGER signer_cooled_off BEFORE INSERT ON initiatives_signoff
  FOR EACH ROW WHEN (NEW.verdict IN ('approve', 'approve_with_condition'))
  EXECUTE FUNCTION plumbline_guard_cooling_vote();

-- A decision that approves.
CREATE FUNCTION plumbline_guard_cooling_decision() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM plumbline_cooled_off(NEW.ended_by_id, ARRAY['chair', 'deputy_chair'], i.unit_id, NEW.ended_at)
     FROM initiatives_initiative i WHERE i.id = NEW.initiative_id;
  RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION plumbline_guard_cooling_decision() FROM PUBLIC;
CREATE TRIGGER chair_cooled_off BEFORE UPDATE ON initiatives_review
  FOR EACH ROW WHEN (OLD.outcome = 'open' AND NEW.outcome IN ('approved', 'approved_with_conditions')
                     AND NEW.gate <> 'retire')
  EXECUTE FUNCTION plumbline_guard_cooling_decision();

-- The approval of a contract.
CREATE FUNCTION plumbline_guard_cooling_contract() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM plumbline_cooled_off(NEW.person_id, ARRAY[NEW.seat::text], i.unit_id, NEW.at)
     FROM governance_contractversion v JOIN initiatives_initiative i ON i.contract_id = v.contract_id
    WHERE v.id = NEW.version_id;
  RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION plumbline_guard_cooling_contract() FROM PUBLIC;
CREATE TRIGGER signer_cooled_off BEFORE INSERT ON governance_contractapproval
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_cooling_contract();
"""
NO_GUARDS = """
DROP FUNCTION plumbline_guard_cooling_contract() CASCADE;
DROP FUNCTION plumbline_guard_cooling_decision() CASCADE;
DROP FUNCTION plumbline_guard_cooling_vote() CASCADE;
"""


class Migration(migrations.Migration):
    dependencies = [("initiatives", "0024_board"), ("governance", "0017_accounts")]

    operations = [migrations.RunSQL(GUARDS, NO_GUARDS)]
