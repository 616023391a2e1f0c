"""What AI systems did: an index partitioned by month, keys of bodies, batches that the record seals."""

from django.db import migrations, models

import governance.database.migration_operations
import governance.database.row_history

# As decisions: a table by month, made by whoever writes into it first, with the right of the owner.
INTERACTIONS = """
CREATE SEQUENCE governance_interaction_id_seq;
CREATE TABLE governance_interaction (
  id bigint NOT NULL DEFAULT nextval('governance_interaction_id_seq'),
  at timestamptz NOT NULL,
  received_at timestamptz NOT NULL,
  key_id bigint,
  holder_key bigint NOT NULL,
  batch_id bigint NOT NULL,
  case_number integer NOT NULL,
  place integer NOT NULL,
  size integer NOT NULL,
  stored integer NOT NULL,
  tokens_in integer,
  tokens_out integer,
  sampled double precision,
  odd_clock boolean NOT NULL,
  kind varchar(10) NOT NULL CHECK (kind IN ('call', 'tool', 'retrieval', 'events', 'wrapper', 'other')),
  model varchar(120) NOT NULL,
  version varchar(120) NOT NULL,
  call bytea NOT NULL,
  mark bytea NOT NULL,
  conversation bytea,
  subject bytea,
  decision bytea,
  digest bytea NOT NULL,
  PRIMARY KEY (at, id)
) PARTITION BY RANGE (at);
ALTER SEQUENCE governance_interaction_id_seq OWNED BY governance_interaction.id;
CREATE INDEX interactions_by_case ON governance_interaction (case_number, at DESC, id DESC);
CREATE INDEX interactions_by_call ON governance_interaction (call);
CREATE INDEX interactions_by_subject ON governance_interaction (subject, at DESC) WHERE subject IS NOT NULL;
CREATE INDEX interactions_by_decision ON governance_interaction (decision) WHERE decision IS NOT NULL;
CREATE INDEX interactions_by_batch ON governance_interaction USING brin (batch_id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON governance_interaction
  FOR EACH ROW EXECUTE FUNCTION plumbline_refuse_change();

CREATE FUNCTION plumbline_interactions_of(moment timestamptz) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  month date := date_trunc('month', moment)::date;
  place text := 'governance_interaction_' || to_char(month, 'YYYY_MM');
BEGIN
  IF to_regclass('public.' || place) IS NULL THEN
    PERFORM pg_advisory_xact_lock(hashtext('plumbline interactions'));
    IF to_regclass('public.' || place) IS NULL THEN
      EXECUTE format('CREATE TABLE public.%I PARTITION OF public.governance_interaction FOR VALUES FROM (%L) TO (%L)',
                     place, month::timestamptz, (month + interval '1 month')::timestamptz);
      PERFORM plumbline_never_emptied(place);
    END IF;
  END IF;
END $$;
REVOKE EXECUTE ON FUNCTION plumbline_interactions_of(timestamptz) FROM PUBLIC;

CREATE FUNCTION plumbline_guard_interaction_key() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF TG_OP = 'DELETE' OR (NEW.id, NEW.holder, NEW.month) IS DISTINCT FROM (OLD.id, OLD.holder, OLD.month) THEN
    RAISE EXCEPTION 'Plumbline: the key of bodies keeps its row.'
      USING ERRCODE = 'PL054', HINT = 'Destroy what it wraps.';
  END IF;
  IF OLD.wrapped IS NULL THEN
    RAISE EXCEPTION 'Plumbline: a key that was destroyed stays destroyed.'
      USING ERRCODE = 'PL054', HINT = 'Make another.';
  END IF;
  RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION plumbline_guard_interaction_key() FROM PUBLIC;
CREATE TRIGGER destroyed_stays_destroyed BEFORE UPDATE OR DELETE ON governance_interactionkey
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_interaction_key();
"""
NO_INTERACTIONS = """
DROP TRIGGER destroyed_stays_destroyed ON governance_interactionkey;
DROP FUNCTION plumbline_guard_interaction_key();
DROP FUNCTION plumbline_interactions_of(timestamptz);
DROP TABLE governance_interaction;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('governance', '0024_contract_objections'),
    ]

    operations = [
        governance.database.migration_operations.Together(
            [
                migrations.CreateModel(
                    name='Interaction',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('at', models.DateTimeField()),
                        ('received_at', models.DateTimeField()),
                        ('case_number', models.PositiveIntegerField()),
                        ('key_id', models.BigIntegerField(null=True)),
                        ('kind', models.CharField(max_length=10)),
                        ('call', models.BinaryField(max_length=16)),
                        ('mark', models.BinaryField(max_length=16)),
                        ('conversation', models.BinaryField(max_length=16, null=True)),
                        ('subject', models.BinaryField(max_length=16, null=True)),
                        ('decision', models.BinaryField(max_length=32, null=True)),
                        ('model', models.CharField(blank=True, default='', max_length=120)),
                        ('version', models.CharField(blank=True, default='', max_length=120)),
                        ('tokens_in', models.PositiveIntegerField(null=True)),
                        ('tokens_out', models.PositiveIntegerField(null=True)),
                        ('size', models.PositiveIntegerField()),
                        ('stored', models.PositiveIntegerField()),
                        ('odd_clock', models.BooleanField()),
                        ('sampled', models.FloatField(null=True)),
                        ('holder_key', models.BigIntegerField()),
                        ('place', models.PositiveIntegerField()),
                        ('digest', models.BinaryField(max_length=32)),
                    ],
                    options={
                        'db_table': 'governance_interaction',
                        'ordering': ['-at', '-id'],
                        'managed': False,
                    },
                ),
                migrations.CreateModel(
                    name='InteractionBatch',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('xact', models.BigIntegerField(db_default=governance.database.row_history.TransactionId(), editable=False)),
                        ('spool', models.CharField(max_length=60, unique=True)),
                        ('count', models.PositiveIntegerField()),
                        ('first_at', models.DateTimeField()),
                        ('last_at', models.DateTimeField()),
                        ('day', models.DateField()),
                        ('root', models.CharField(max_length=64)),
                    ],
                    options={
                        'ordering': ['id'],
                    },
                ),
                migrations.CreateModel(
                    name='InteractionKey',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('holder', models.BinaryField(max_length=16)),
                        ('month', models.CharField(max_length=7)),
                        ('master', models.CharField(max_length=20)),
                        ('wrapped', models.BinaryField(max_length=60, null=True)),
                        ('made_at', models.DateTimeField(db_default=governance.database.row_history.DatabaseNow())),
                        ('destroyed_at', models.DateTimeField(null=True)),
                    ],
                    options={
                        'ordering': ['id'],
                        'constraints': [models.UniqueConstraint(condition=models.Q(('wrapped__isnull', False)), fields=('holder', 'month'), name='one_interaction_key_of_a_month'), models.CheckConstraint(condition=models.Q(models.Q(('destroyed_at__isnull', True), ('wrapped__isnull', False)), models.Q(('destroyed_at__isnull', False), ('wrapped__isnull', True)), _connector='OR'), name='interaction_key_is_there_or_destroyed')],
                    },
                ),
            ]
        ),
        migrations.RunSQL(INTERACTIONS, NO_INTERACTIONS),
    ]
