"""What came of decisions, as systems report it, and the heartbeats of their keys."""

import django.db.models.deletion
from django.db import migrations, models

import governance.database.migration_operations
import governance.database.row_history

# Rows are only added, as those of decisions are; what is undone was done before.
GUARDS = """
SELECT plumbline_append_only('governance_outcomereport');

CREATE FUNCTION plumbline_guard_outcome() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM public.governance_outcomereport o
                  WHERE o.decision = NEW.decision AND o.kind = 'done') THEN
    RAISE EXCEPTION 'Plumbline: only what was reported as done can be undone.'
      USING ERRCODE = 'PL053', HINT = 'Report it as done first.';
  END IF;
  RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION plumbline_guard_outcome() FROM PUBLIC;
CREATE TRIGGER undone_after_done AFTER INSERT ON governance_outcomereport
  FOR EACH ROW WHEN (NEW.kind = 'undone') EXECUTE FUNCTION plumbline_guard_outcome();
"""
NO_GUARDS = """
DROP TRIGGER undone_after_done ON governance_outcomereport;
DROP FUNCTION plumbline_guard_outcome();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('governance', '0019_clocks'),
    ]

    operations = [
        governance.database.migration_operations.Together(
            [
                migrations.CreateModel(
                    name='OutcomeReport',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('case_number', models.PositiveIntegerField()),
                        ('key_id', models.BigIntegerField()),
                        ('kind', models.CharField(choices=[('done', 'Done'), ('failed', 'Failed'), ('undone', 'Undone')], max_length=10)),
                        ('decision', models.BinaryField(max_length=32, null=True)),
                        ('decided_at', models.DateTimeField(null=True)),
                        ('action', models.CharField(blank=True, default='', max_length=100)),
                        ('at', models.DateTimeField(null=True)),
                        ('note', models.CharField(blank=True, default='', max_length=300)),
                        ('reported_at', models.DateTimeField(db_default=governance.database.row_history.DatabaseNow())),
                    ],
                    options={
                        'ordering': ['id'],
                        'indexes': [models.Index(fields=['case_number', 'decided_at'], name='outcomes_by_case'), models.Index(condition=models.Q(('decision__isnull', True)), fields=['case_number', 'at'], name='calls_nobody_asked_about')],
                        'constraints': [models.UniqueConstraint(fields=('decision', 'kind'), name='one_outcome_of_a_kind_per_decision'), models.UniqueConstraint(condition=models.Q(('kind__in', ['done', 'failed'])), fields=('decision',), name='done_or_failed_and_never_both'), models.UniqueConstraint(condition=models.Q(('decision__isnull', True)), fields=('key_id', 'action', 'at'), name='one_report_of_a_call_nobody_asked_about'), models.CheckConstraint(condition=models.Q(models.Q(('action', ''), ('decided_at__isnull', False), ('decision__isnull', False)), models.Q(('at__isnull', False), ('decided_at__isnull', True), ('decision__isnull', True), ('kind', 'done'), models.Q(('action', ''), _negated=True)), _connector='OR'), name='outcome_is_of_a_decision_or_of_a_call_nobody_asked_about'), models.CheckConstraint(condition=models.Q(('kind__in', ['done', 'failed', 'undone'])), name='outcome_is_of_a_known_kind')],
                    },
                ),
                migrations.CreateModel(
                    name='KeyHeartbeat',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('xact', models.BigIntegerField(db_default=governance.database.row_history.TransactionId(), editable=False)),
                        ('day', models.DateField()),
                        ('at', models.DateTimeField()),
                        ('key', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='heartbeats', to='governance.servicekey')),
                    ],
                    options={
                        'ordering': ['id'],
                        'constraints': [models.UniqueConstraint(fields=('key', 'day'), name='one_heartbeat_per_key_and_day')],
                    },
                ),
            ]
        ),
        migrations.RunSQL(GUARDS, NO_GUARDS),
    ]
