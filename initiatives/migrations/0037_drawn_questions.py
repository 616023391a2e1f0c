"""Questions of a case of minimal risk that the record's seed draws to be verified (docs/adr/0056)."""

import django.db.models.deletion
from django.db import migrations, models

import governance.database.row_history

# Nobody draws: the system does, once a case was submitted, by one seed a round, which is sealed after submission.
GUARDS = """
CREATE FUNCTION plumbline_guard_drawn() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF plumbline_act(TG_TABLE_NAME)->>'id' IS NOT NULL THEN
    RAISE EXCEPTION 'Plumbline: nobody chooses the questions that are drawn.' USING ERRCODE = 'PL033';
  END IF;
  IF NEW.review_id IS NOT NULL AND NOT EXISTS (
      SELECT FROM initiatives_review r JOIN initiatives_initiative i ON i.id = r.initiative_id
       WHERE r.id = NEW.review_id AND r.initiative_id = NEW.initiative_id AND i.tier = 'minimal'
         AND r.gate = 'production' AND r.outcome = 'open') THEN
    RAISE EXCEPTION 'Plumbline: questions are drawn for an open review of production at minimal risk.'
      USING ERRCODE = 'PL033';
  END IF;
  IF NEW.review_id IS NOT NULL AND NOT EXISTS (
      SELECT FROM governance_entry e
        JOIN governance_leaf l ON l.entry_id = e.id
        JOIN governance_checkpoint c ON c.id = NEW.checkpoint_id AND c.size > l.position
       WHERE e."table" = 'initiatives_review' AND e.key = NEW.review_id::text AND e.operation = '+') THEN
    RAISE EXCEPTION 'Plumbline: questions are drawn by a checkpoint sealed after submission.' USING ERRCODE = 'PL033';
  END IF;
  IF EXISTS (SELECT FROM initiatives_drawnquestion d
              WHERE d.initiative_id = NEW.initiative_id AND d.review_id IS NOT DISTINCT FROM NEW.review_id
                AND d.renews IS NOT DISTINCT FROM NEW.renews AND d.checkpoint_id <> NEW.checkpoint_id) THEN
    RAISE EXCEPTION 'Plumbline: all questions of a round are drawn by one checkpoint.' USING ERRCODE = 'PL033';
  END IF;
  IF NEW.replaces_id IS NOT NULL AND NOT EXISTS (
      SELECT FROM initiatives_drawnquestion d
       WHERE d.id = NEW.replaces_id AND d.initiative_id = NEW.initiative_id
         AND d.review_id IS NOT DISTINCT FROM NEW.review_id AND d.renews IS NOT DISTINCT FROM NEW.renews) THEN
    RAISE EXCEPTION 'Plumbline: a question is drawn in place of one of its own round.' USING ERRCODE = 'PL033';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER drawn_by_the_record BEFORE INSERT ON initiatives_drawnquestion
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_drawn();
"""
NO_GUARDS = "DROP FUNCTION plumbline_guard_drawn() CASCADE;"


class Migration(migrations.Migration):

    dependencies = [
        ('governance', '0021_rulebook_takes_effect'),
        ('initiatives', '0036_answers_to_verify'),
    ]

    operations = [
        migrations.CreateModel(
            name='DrawnQuestion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('xact', models.BigIntegerField(db_default=governance.database.row_history.TransactionId(), editable=False)),
                ('renews', models.DateTimeField(blank=True, null=True)),
                ('requirement', models.CharField(max_length=60)),
                ('place', models.PositiveSmallIntegerField()),
                ('answer_version', models.PositiveIntegerField()),
                ('items', models.JSONField(default=list)),
                ('drawn_at', models.DateTimeField()),
                ('checkpoint', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='governance.checkpoint')),
                ('initiative', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='drawn_questions', to='initiatives.initiative')),
                ('replaces', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='replaced_by', to='initiatives.drawnquestion')),
                ('review', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='drawn_questions', to='initiatives.review')),
            ],
            options={
                'ordering': ['initiative', 'id'],
                'constraints': [
                    models.UniqueConstraint(fields=('initiative', 'review', 'renews', 'requirement'), name='drawn_once_in_a_round', nulls_distinct=False),
                    models.UniqueConstraint(fields=('initiative', 'review', 'renews', 'place'), name='one_question_at_each_place_of_a_round', nulls_distinct=False),
                    models.CheckConstraint(condition=models.Q(models.Q(('renews__isnull', False), ('review__isnull', True)), models.Q(('renews__isnull', True), ('review__isnull', False)), _connector='OR'), name='drawn_for_a_review_or_an_acceptance'),
                ],
            },
        ),
        migrations.RunSQL(GUARDS, NO_GUARDS),
    ]
