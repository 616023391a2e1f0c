"""Handovers, and what the database holds of them and of whoever stands in."""

import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import governance.database.migration_operations
import governance.database.row_history

GUARDS = """
-- Whoever stands in for somebody with a role on a case does not sign on it (invariant 4).
CREATE FUNCTION plumbline_guard_stand_in() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.verdict NOT IN ('withdrawn', 'recuse') AND EXISTS (
       SELECT FROM initiatives_review v
         JOIN initiatives_roleassignment r ON r.initiative_id = v.initiative_id
          AND r.accepted_at IS NOT NULL AND r.ended_at IS NULL
         JOIN governance_absence a ON a.person_id = r.person_id AND a.starts_at <= NEW.at AND a.ends_at > NEW.at
         JOIN governance_delegation d ON d.absence_id = a.id AND d.membership_id IS NULL
          AND d.accepted_at IS NOT NULL AND d.ended_at IS NULL
        WHERE v.id = NEW.review_id AND d.delegate_id = NEW.person_id) THEN
    RAISE EXCEPTION 'Plumbline: nobody signs on a case on which they stand in for somebody.' USING ERRCODE = 'PL014';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER stand_ins_do_not_sign BEFORE INSERT ON initiatives_signoff
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_stand_in();

-- A handover is between the people and about the case it was proposed for, and answered once.
CREATE FUNCTION plumbline_guard_handover() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.initiative_id, NEW.person_id, NEW.successor_id) IS DISTINCT FROM
     (OLD.initiative_id, OLD.person_id, OLD.successor_id)
     OR coalesce(OLD.accepted_at, OLD.ended_at) IS NOT NULL THEN
    RAISE EXCEPTION 'Plumbline: a handover keeps its people and its case, and is answered once.'
      USING ERRCODE = 'PL042', HINT = 'Propose another.';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER handovers_are_kept BEFORE UPDATE ON initiatives_handover
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_handover();
"""
NO_GUARDS = """
DROP FUNCTION plumbline_guard_handover() CASCADE;
DROP FUNCTION plumbline_guard_stand_in() CASCADE;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('governance', '0010_absences'),
        ('initiatives', '0007_captured_links'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        governance.database.migration_operations.Together(
            [
                migrations.CreateModel(
                    name='Handover',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('proposed_at', models.DateTimeField()),
                        ('reason', models.TextField()),
                        ('accepted_at', models.DateTimeField(blank=True, null=True)),
                        ('ended_at', models.DateTimeField(blank=True, null=True)),
                        ('ended_reason', models.TextField(blank=True, default='')),
                        ('initiative', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='handovers', to='initiatives.initiative')),
                        ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='handovers', to=settings.AUTH_USER_MODEL)),
                        ('proposed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('successor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='handovers_offered', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'ordering': ['initiative', 'id'],
                    },
                ),
                migrations.AddField(
                    model_name='historicalroleassignment',
                    name='handover',
                    field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='initiatives.handover'),
                ),
                migrations.AddField(
                    model_name='roleassignment',
                    name='handover',
                    field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='roles', to='initiatives.handover'),
                ),
                migrations.CreateModel(
                    name='HistoricalHandover',
                    fields=[
                        ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                        ('history_user_name', models.TextField(default='')),
                        ('history_xact', models.BigIntegerField(db_default=governance.database.row_history.TransactionId(), editable=False)),
                        ('proposed_at', models.DateTimeField()),
                        ('reason', models.TextField()),
                        ('accepted_at', models.DateTimeField(blank=True, null=True)),
                        ('ended_at', models.DateTimeField(blank=True, null=True)),
                        ('ended_reason', models.TextField(blank=True, default='')),
                        ('history_user_id', models.BigIntegerField(blank=True, null=True)),
                        ('history_change_reason', models.TextField(blank=True, default='')),
                        ('history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                        ('history_date', models.DateTimeField(db_index=True)),
                        ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                        ('initiative', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='initiatives.initiative')),
                        ('person', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('proposed_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('successor', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'verbose_name': 'historical handover',
                        'verbose_name_plural': 'historical handovers',
                        'ordering': ('-history_date', '-history_id'),
                        'get_latest_by': ('history_date', 'history_id'),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.AddIndex(
                    model_name='handover',
                    index=models.Index(condition=models.Q(('accepted_at__isnull', True), ('ended_at__isnull', True)), fields=['successor'], name='handovers_by_successor'),
                ),
                migrations.AddConstraint(
                    model_name='handover',
                    constraint=models.UniqueConstraint(condition=models.Q(('accepted_at__isnull', True), ('ended_at__isnull', True)), fields=('initiative', 'person'), name='one_handover_of_a_person_and_case_at_a_time'),
                ),
                migrations.AddConstraint(
                    model_name='handover',
                    constraint=models.CheckConstraint(condition=models.Q(('accepted_at__isnull', True), ('ended_at__isnull', True), _connector='OR'), name='accepted_or_ended_not_both'),
                ),
                migrations.AddConstraint(
                    model_name='handover',
                    constraint=models.CheckConstraint(condition=models.Q(('person', models.F('successor')), _negated=True), name='nobody_hands_over_to_themselves'),
                ),
            ]
        ),
        migrations.RunSQL(GUARDS, NO_GUARDS),
    ]
