"""Interactions are kept for a time: keys of one case each, legal holds before keys, months that expire."""

from django.db import migrations, models

import governance.database.migration_operations

# Keys made before are of the one case whose interactions lie under them, where it is one.
OF_A_CASE = """
UPDATE governance_interactionkey k SET case_number = known.number
  FROM (SELECT holder_key, min(case_number) AS number FROM governance_interaction
         GROUP BY holder_key HAVING min(case_number) = max(case_number)) known
 WHERE k.id = known.holder_key AND k.wrapped IS NOT NULL
"""

HELD = """
CREATE FUNCTION plumbline_case_held(integer) RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM governance_legalhold WHERE lifted_at IS NULL
                    AND case_ref = 'AI-' || lpad($1::text, greatest(4, length($1::text)), '0'))
$$;

CREATE OR REPLACE FUNCTION plumbline_guard_interaction_key() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND (NEW.id, NEW.holder, NEW.month, NEW.case_number)
                          IS DISTINCT FROM (OLD.id, OLD.holder, OLD.month, OLD.case_number) THEN
    RAISE EXCEPTION 'Plumbline: the key of bodies keeps its row.'
      USING ERRCODE = 'PL054', HINT = 'Destroy what it wraps.';
  END IF;
  IF TG_OP = 'DELETE' AND timezone('UTC', (OLD.month || '-01')::date + interval '1 month' + interval '730 days')
                          > plumbline_now() THEN
    RAISE EXCEPTION 'Plumbline: the key of bodies keeps its row for 730 days after its month.'
      USING ERRCODE = 'PL054', HINT = 'Destroy what it wraps.';
  END IF;
  IF TG_OP = 'UPDATE' AND OLD.wrapped IS NULL THEN
    RAISE EXCEPTION 'Plumbline: a key that was destroyed stays destroyed.'
      USING ERRCODE = 'PL054', HINT = 'Make another.';
  END IF;
  IF OLD.wrapped IS NOT NULL AND (TG_OP = 'DELETE' OR NEW.wrapped IS NULL) AND
     (plumbline_case_held(OLD.case_number) OR OLD.case_number IS NULL
      AND EXISTS (SELECT FROM (SELECT DISTINCT case_number FROM governance_interaction
                                WHERE holder_key = OLD.id) used
                   WHERE plumbline_case_held(used.case_number))) THEN
    RAISE EXCEPTION 'Plumbline: a legal hold keeps this key.'
      USING ERRCODE = 'PL055', HINT = 'Lift the hold first, where it may be lifted.';
  END IF;
  IF TG_OP = 'DELETE' THEN
    RETURN OLD;
  END IF;
  RETURN NEW;
END $$;
"""
NOT_HELD = "DROP FUNCTION plumbline_case_held(integer);"

# Rows go by the month, and only so: nobody has the right to delete one. What a hold keeps moves into a new table of
# the month; of the others the leaf is kept as long as a row of their batch is there, so that its root can be worked
# out. Returns how many rows went, and how many leaves are left of them.
EXPIRE = """
CREATE INDEX interactions_by_conversation ON governance_interaction (conversation)
 WHERE conversation IS NOT NULL AND subject IS NULL;

CREATE FUNCTION plumbline_expire_interactions(month date, subjects bytea[], conversations bytea[])
RETURNS TABLE (gone bigint, leaves bigint, keys bigint) LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  place text := 'governance_interaction_' || to_char(month, 'YYYY_MM');
  old text := place || '_expired';
  following date := (month + interval '1 month')::date;
  cases integer[];
  batches bigint[];
  living bigint[];
  keeps text := '(case_number = ANY ($1) OR coalesce(subject = ANY ($2), false)'
                ' OR coalesce(conversation = ANY ($3), false))';
BEGIN
  IF month <> date_trunc('month', month)::date
     OR following::timestamptz + interval '730 days' > plumbline_now() THEN
    RAISE EXCEPTION 'Plumbline: interactions are kept for 730 days after their month.' USING ERRCODE = 'PL056';
  END IF;
  gone := 0; leaves := 0; keys := 0;
  PERFORM pg_advisory_xact_lock(hashtext('plumbline interactions'));
  IF to_regclass('public.' || place) IS NOT NULL THEN
    EXECUTE format('SELECT coalesce(array_agg(number), ''{}'') FROM (SELECT DISTINCT case_number AS number'
                   ' FROM public.%I) known WHERE plumbline_case_held(number)', place) INTO cases;
    EXECUTE format('SELECT count(*) FROM public.%I WHERE NOT ' || keeps, place)
      INTO gone USING cases, subjects, conversations;
  END IF;
  IF gone > 0 THEN
    EXECUTE format('ALTER TABLE public.governance_interaction DETACH PARTITION public.%I', place);
    EXECUTE format('ALTER TABLE public.%I RENAME TO %I', place, old);
    EXECUTE format('SELECT array_agg(DISTINCT batch_id) FROM public.%I', old) INTO batches;
    EXECUTE format('SELECT count(*) FROM public.%I WHERE ' || keeps, old)
      INTO leaves USING cases, subjects, conversations;
    IF leaves > 0 THEN
      PERFORM plumbline_interactions_of(month::timestamptz);
      EXECUTE format('INSERT INTO public.governance_interaction SELECT * FROM public.%I WHERE ' || keeps, old)
        USING cases, subjects, conversations;
    END IF;
    SELECT coalesce(array_agg(b.id), '{}') INTO living FROM governance_interactionbatch b
     WHERE b.id = ANY (batches) AND EXISTS (SELECT FROM governance_interaction i
                                             WHERE i.batch_id = b.id AND i.at BETWEEN b.first_at AND b.last_at);
    EXECUTE format('INSERT INTO public.governance_interactiondigest (batch_id, place, digest, month)'
                   ' SELECT batch_id, place, digest, $4 FROM public.%I'
                   ' WHERE batch_id = ANY ($5) AND NOT ' || keeps, old)
      USING cases, subjects, conversations, to_char(month, 'YYYY-MM'), living;
    GET DIAGNOSTICS leaves = ROW_COUNT;
    DELETE FROM governance_interactiondigest WHERE batch_id = ANY (batches) AND NOT batch_id = ANY (living);
    EXECUTE format('DROP TABLE public.%I', old);
  END IF;
  DELETE FROM governance_interactionkey k
   WHERE k.month = to_char(plumbline_expire_interactions.month, 'YYYY-MM')
     AND (k.case_number IS NULL OR NOT plumbline_case_held(k.case_number))
     AND NOT EXISTS (SELECT FROM governance_interaction i WHERE i.holder_key = k.id
                        AND i.at BETWEEN plumbline_expire_interactions.month - interval '2 days'
                                     AND following + interval '2 days');
  GET DIAGNOSTICS keys = ROW_COUNT;
  RETURN NEXT;
END $$;
REVOKE EXECUTE ON FUNCTION plumbline_expire_interactions(date, bytea[], bytea[]) FROM PUBLIC;
"""
NO_EXPIRY = """
DROP FUNCTION plumbline_expire_interactions(date, bytea[], bytea[]);
DROP INDEX interactions_by_conversation;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('governance', '0025_interaction_log'),
    ]

    operations = [
        governance.database.migration_operations.Together(
            [
                migrations.CreateModel(
                    name='InteractionBodies',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('case_number', models.PositiveIntegerField(unique=True)),
                        ('gone_through', models.DateField()),
                    ],
                    options={
                        'ordering': ['case_number'],
                    },
                ),
                migrations.CreateModel(
                    name='InteractionDigest',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('place', models.PositiveIntegerField()),
                        ('digest', models.BinaryField(max_length=32)),
                        ('month', models.CharField(max_length=7)),
                        ('batch', models.ForeignKey(db_constraint=False, db_index=False, on_delete=models.DO_NOTHING, related_name='digests', to='governance.interactionbatch')),
                    ],
                    options={
                        'ordering': ['batch', 'place'],
                        'constraints': [models.UniqueConstraint(fields=('batch', 'place'), name='one_interaction_digest_of_a_place')],
                    },
                ),
                migrations.RemoveConstraint(
                    model_name='interactionkey',
                    name='one_interaction_key_of_a_month',
                ),
                migrations.AddField(
                    model_name='interactionkey',
                    name='case_number',
                    field=models.PositiveIntegerField(null=True),
                ),
                migrations.AddConstraint(
                    model_name='interactionkey',
                    constraint=models.UniqueConstraint(condition=models.Q(('wrapped__isnull', False)), fields=('holder', 'case_number', 'month'), name='one_interaction_key_of_a_month'),
                ),
            ]
        ),
        migrations.RunSQL(OF_A_CASE, migrations.RunSQL.noop),
        migrations.RunSQL(HELD, NOT_HELD),
        migrations.RunSQL(EXPIRE, NO_EXPIRY),
    ]
