"""What the database refuses by itself, whoever asks: changes of the record, of published rules, of signed contracts."""

from django.db import migrations

GUARDS = """
CREATE FUNCTION plumbline_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'Plumbline: % keeps what was written; % is refused.', TG_TABLE_NAME, TG_OP
    USING ERRCODE = 'PL001', HINT = 'Write a new row that corrects or replaces the old one.';
END $$;

CREATE FUNCTION plumbline_append_only(place text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I '
                 'FOR EACH ROW EXECUTE FUNCTION plumbline_refuse_change()', place);
  EXECUTE format('CREATE OR REPLACE TRIGGER never_emptied BEFORE TRUNCATE ON %I '
                 'FOR EACH STATEMENT EXECUTE FUNCTION plumbline_refuse_change()', place);
END $$;

CREATE FUNCTION plumbline_guard_rulebook() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.published_at IS NOT NULL THEN
    RAISE EXCEPTION 'Plumbline: rulebook % is published and does not change.', OLD.version
      USING ERRCODE = 'PL002', HINT = 'Load the changed text under a new version.';
  END IF;
  IF TG_OP = 'UPDATE' AND (NEW.source, NEW.digest, NEW.version) IS DISTINCT FROM (OLD.source, OLD.digest, OLD.version) THEN
    RAISE EXCEPTION 'Plumbline: the text of rulebook % does not change once loaded.', OLD.version
      USING ERRCODE = 'PL002', HINT = 'Load the changed text under a new version.';
  END IF;
  RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER rulebook_is_immutable BEFORE UPDATE OR DELETE ON governance_rulebook
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_rulebook();

CREATE FUNCTION plumbline_guard_rulebook_part() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM governance_rulebook WHERE published_at IS NOT NULL
             AND id = CASE WHEN TG_OP = 'INSERT' THEN NEW.rulebook_id ELSE OLD.rulebook_id END) THEN
    RAISE EXCEPTION 'Plumbline: a published rulebook does not change; % on % is refused.', TG_OP, TG_TABLE_NAME
      USING ERRCODE = 'PL002', HINT = 'Load the changed text under a new version.';
  END IF;
  RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER part_of_immutable BEFORE INSERT OR UPDATE OR DELETE ON governance_gate
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_rulebook_part();
CREATE TRIGGER part_of_immutable BEFORE INSERT OR UPDATE OR DELETE ON governance_criterion
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_rulebook_part();
CREATE TRIGGER part_of_immutable BEFORE INSERT OR UPDATE OR DELETE ON governance_requirement
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_rulebook_part();

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
CREATE TRIGGER contract_version_is_fixed BEFORE UPDATE OR DELETE ON governance_contractversion
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
CREATE TRIGGER clause_is_fixed BEFORE INSERT OR UPDATE OR DELETE ON governance_clause
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_clause();
"""

NO_GUARDS = """
DROP TRIGGER rulebook_is_immutable ON governance_rulebook;
DROP TRIGGER part_of_immutable ON governance_gate;
DROP TRIGGER part_of_immutable ON governance_criterion;
DROP TRIGGER part_of_immutable ON governance_requirement;
DROP TRIGGER contract_version_is_fixed ON governance_contractversion;
DROP TRIGGER clause_is_fixed ON governance_clause;
DROP FUNCTION plumbline_guard_clause();
DROP FUNCTION plumbline_guard_contract();
DROP FUNCTION plumbline_guard_rulebook_part();
DROP FUNCTION plumbline_guard_rulebook();
DROP FUNCTION plumbline_append_only(text);
DROP FUNCTION plumbline_refuse_change() CASCADE;
"""


class Migration(migrations.Migration):
    dependencies = [("governance", "0001_initial")]

    operations = [migrations.RunSQL(GUARDS, NO_GUARDS)]
