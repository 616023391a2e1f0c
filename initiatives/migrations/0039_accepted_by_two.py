"""At high risk two persons accept that something does not apply; who accepts is guarded by the database (ADR 55)."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import governance.database.migration_operations

GUARD = """
CREATE FUNCTION plumbline_guard_acceptance() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  told jsonb := to_jsonb(NEW);
  who bigint := (told ->> (TG_ARGV[0] || '_by_id'))::bigint;
  place text := told ->> (TG_ARGV[0] || '_seat');
  moment timestamptz := (told ->> (TG_ARGV[0] || '_at'))::timestamptz;
BEGIN
  IF plumbline_party(NEW.initiative_id, who, moment) THEN
    RAISE EXCEPTION 'Plumbline: nobody accepts this for a case they are party to.' USING ERRCODE = 'PL033';
  END IF;
  IF NOT EXISTS (SELECT 1 FROM governance_membership m JOIN governance_user u ON u.id = m.person_id
                 WHERE m.person_id = who AND m.seat = place AND u.is_active
                   AND m.starts_at <= moment AND (m.ends_at IS NULL OR m.ends_at > moment)) THEN
    RAISE EXCEPTION 'Plumbline: who accepts this does not hold the seat %.', place USING ERRCODE = 'PL033';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER accepted_from_outside BEFORE INSERT OR UPDATE OF accepted_by_id, accepted_at, accepted_seat
  ON initiatives_answer FOR EACH ROW WHEN (NEW.accepted_at IS NOT NULL)
  EXECUTE FUNCTION plumbline_guard_acceptance('accepted');
CREATE TRIGGER second_from_outside BEFORE INSERT OR UPDATE OF second_by_id, second_at, second_seat
  ON initiatives_answer FOR EACH ROW WHEN (NEW.second_at IS NOT NULL)
  EXECUTE FUNCTION plumbline_guard_acceptance('second');
CREATE TRIGGER second_from_outside BEFORE INSERT OR UPDATE OF second_by_id, second_at, second_seat
  ON initiatives_standalonedeclaration FOR EACH ROW WHEN (NEW.second_at IS NOT NULL AND NEW.ended_at IS NULL)
  EXECUTE FUNCTION plumbline_guard_acceptance('second');
"""
NO_GUARD = "DROP FUNCTION plumbline_guard_acceptance() CASCADE;"


class Migration(migrations.Migration):

    dependencies = [
        ('initiatives', '0038_decision_days'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        governance.database.migration_operations.Together(
            [
                migrations.RemoveIndex(
                    model_name='answer',
                    name='exceptions_not_accepted',
                ),
                migrations.AddField(
                    model_name='answer',
                    name='second_at',
                    field=models.DateTimeField(blank=True, null=True),
                ),
                migrations.AddField(
                    model_name='answer',
                    name='second_by',
                    field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
                ),
                migrations.AddField(
                    model_name='answer',
                    name='second_seat',
                    field=models.CharField(blank=True, default='', max_length=30),
                ),
                migrations.AddField(
                    model_name='historicalanswer',
                    name='second_at',
                    field=models.DateTimeField(blank=True, null=True),
                ),
                migrations.AddField(
                    model_name='historicalanswer',
                    name='second_by',
                    field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL),
                ),
                migrations.AddField(
                    model_name='historicalanswer',
                    name='second_seat',
                    field=models.CharField(blank=True, default='', max_length=30),
                ),
                migrations.AddField(
                    model_name='historicalstandalonedeclaration',
                    name='second_at',
                    field=models.DateTimeField(blank=True, null=True),
                ),
                migrations.AddField(
                    model_name='historicalstandalonedeclaration',
                    name='second_by',
                    field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL),
                ),
                migrations.AddField(
                    model_name='historicalstandalonedeclaration',
                    name='second_seat',
                    field=models.CharField(blank=True, default='', max_length=30),
                ),
                migrations.AddField(
                    model_name='standalonedeclaration',
                    name='second_at',
                    field=models.DateTimeField(blank=True, null=True),
                ),
                migrations.AddField(
                    model_name='standalonedeclaration',
                    name='second_by',
                    field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
                ),
                migrations.AddField(
                    model_name='standalonedeclaration',
                    name='second_seat',
                    field=models.CharField(blank=True, default='', max_length=30),
                ),
                migrations.AddIndex(
                    model_name='answer',
                    index=models.Index(condition=models.Q(('kind', 'not_applicable'), ('second_at__isnull', True)), fields=['initiative'], name='exceptions_not_settled'),
                ),
                migrations.AddConstraint(
                    model_name='answer',
                    constraint=models.CheckConstraint(condition=models.Q(models.Q(('second_at__isnull', True), ('second_by__isnull', True), ('second_seat', '')), models.Q(('accepted_at__isnull', False), ('second_at__gte', models.F('accepted_at')), ('second_by__isnull', False), models.Q(('second_seat', ''), _negated=True), models.Q(('second_by', models.F('accepted_by')), _negated=True)), _connector='OR'), name='accepted_twice_means_by_two'),
                ),
                migrations.AddConstraint(
                    model_name='standalonedeclaration',
                    constraint=models.CheckConstraint(condition=models.Q(models.Q(('second_at__isnull', True), ('second_by__isnull', True), ('second_seat', '')), models.Q(('accepted_at__isnull', False), ('second_at__gte', models.F('accepted_at')), ('second_by__isnull', False), models.Q(('second_seat', ''), _negated=True), models.Q(('second_by', models.F('accepted_by')), _negated=True)), _connector='OR'), name='standalone_accepted_twice_means_by_two'),
                ),
            ]
        ),
        migrations.RunSQL(GUARD, NO_GUARD),
    ]
