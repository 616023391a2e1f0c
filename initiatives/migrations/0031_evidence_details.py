"""What the form of an item's kind holds; and one file is one kind of evidence on a case."""

from django.db import migrations, models

import governance.database.migration_operations

# For what is added from now on: rows of before are not looked at again, but a new one may not differ from them. The
# lock on the case, which every act holds already, keeps two that come at once from missing each other. What was
# withdrawn counts no more: a file that was added under the wrong kind is withdrawn and added again.
GUARDS = """
CREATE FUNCTION plumbline_guard_one_kind() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF TG_RELID <> 'public.initiatives_evidence'::regclass THEN
    RAISE EXCEPTION 'Plumbline: this function guards evidence alone.' USING ERRCODE = 'PL012';
  END IF;
  PERFORM 1 FROM public.initiatives_initiative WHERE id = NEW.initiative_id FOR NO KEY UPDATE;
  IF EXISTS (SELECT 1 FROM public.initiatives_evidence e
              WHERE e.initiative_id = NEW.initiative_id AND e.sha256 = NEW.sha256 AND e.kind <> NEW.kind
                AND e.withdrawn_at IS NULL) THEN
    RAISE EXCEPTION 'Plumbline: one file is one kind of evidence on a case.'
      USING ERRCODE = 'PL012', HINT = 'Offer the item that is there for this question too.';
  END IF;
  RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION plumbline_guard_one_kind() FROM PUBLIC;
CREATE TRIGGER one_file_is_one_kind BEFORE INSERT ON initiatives_evidence
  FOR EACH ROW WHEN (NEW.sha256 <> '') EXECUTE FUNCTION plumbline_guard_one_kind();
"""
NO_GUARDS = """
DROP TRIGGER one_file_is_one_kind ON initiatives_evidence;
DROP FUNCTION plumbline_guard_one_kind();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('initiatives', '0030_test_subjects'),
    ]

    operations = [
        governance.database.migration_operations.Together(
            [
                migrations.AddField(
                    model_name='evidence',
                    name='details',
                    field=models.JSONField(blank=True, default=dict),
                ),
                migrations.AddField(
                    model_name='historicalevidence',
                    name='details',
                    field=models.JSONField(blank=True, default=dict),
                ),
            ]
        ),
        migrations.RunSQL(GUARDS, NO_GUARDS),
    ]
