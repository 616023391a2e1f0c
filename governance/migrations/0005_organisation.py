"""Units that are merged into others, and what the database holds of the tree by itself."""

import django.db.models.deletion
from django.db import migrations, models

TREE = """
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
CREATE TRIGGER unit_in_being BEFORE INSERT OR UPDATE ON governance_user
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_unit();
CREATE TRIGGER unit_in_being BEFORE INSERT OR UPDATE ON governance_board
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_unit();
"""
NO_TREE = """
DROP FUNCTION plumbline_guard_parent() CASCADE;
DROP FUNCTION plumbline_guard_unit() CASCADE;
DROP FUNCTION plumbline_unit_in_being(bigint);
DROP FUNCTION plumbline_guard_tree() CASCADE;
"""


class Migration(migrations.Migration):
    dependencies = [("governance", "0004_every")]

    operations = [
        migrations.AddField(
            model_name="historicalunit",
            name="merged_into",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="governance.unit",
            ),
        ),
        migrations.AddField(
            model_name="unit",
            name="merged_into",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="merged",
                to="governance.unit",
            ),
        ),
        migrations.RunSQL(TREE, NO_TREE),
    ]
