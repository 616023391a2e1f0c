"""Post-mortems in depth. What was "published" and waited is in review now; what was "confirmed" is published."""

import json

import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models
from django.utils import timezone

import governance.database.migration_operations
import governance.database.row_history

WHO = "system: post-mortems in depth"
AT = timezone.now()  # one moment for the rows of history and their entries
STATES = """
UPDATE adoption_postmortem SET state = CASE state WHEN 'published' THEN 'review' ELSE 'published' END
 WHERE state IN ('published', 'confirmed')
RETURNING id
"""
# A layer that was found or blamed becomes a row of its own, with the grounds that stood beside it.
LAYERS = """
INSERT INTO adoption_attribution (post_mortem_id, side, said, layer, by_whom, place, grounds)
SELECT id, 'failure', said, layer, '', 1, grounds FROM adoption_postmortem,
  LATERAL (VALUES ('found', found_layer, attribution), ('blamed', blamed_layer, '')) AS told (said, layer, grounds)
 WHERE layer <> '' RETURNING id
"""
KEPT = """
SELECT plumbline_keep_row('adoption_attribution', row.id::text, '+', number, NULL, row_to_json(row))
  FROM adoption_attribution row JOIN adoption_postmortem p ON p.id = row.post_mortem_id
  JOIN initiatives_initiative i ON i.id = p.initiative_id WHERE row.id = ANY (%s)
"""


# What is owed in writing goes away by being written, and confirmed by whoever wrote none of it; in no other way. (That a
# debt keeps its debtor and its day, and is not deleted, holds for all debts: initiatives, 0002_guards.)
GUARDS = """
CREATE FUNCTION plumbline_guard_written_debt() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.opened_at IS DISTINCT FROM OLD.opened_at
     OR OLD.excused_at IS NOT NULL AND NEW.excused_at IS DISTINCT FROM OLD.excused_at THEN
    RAISE EXCEPTION 'Plumbline: since when it is owed, and that it was let pass once, stays so.'
      USING ERRCODE = 'PL070';
  END IF;
  IF OLD.settled_at IS NULL AND NEW.settled_at IS NOT NULL AND NOT EXISTS (
       SELECT 1 FROM adoption_postmortem WHERE obligation_id = NEW.id AND state = 'published')
     -- Two incidents that turned out to be one are told once, by the earlier day.
     AND NOT EXISTS (
       SELECT 1 FROM initiatives_obligation other
         JOIN adoption_incident newer ON newer.merged_into_id IS NOT NULL
          AND ARRAY['incident:' || newer.id, 'incident:' || newer.merged_into_id]
              @> ARRAY[NEW.source::text, other.source::text]
        WHERE other.initiative_id = NEW.initiative_id AND other.kind = NEW.kind AND other.source <> NEW.source
          AND other.settled_at IS NULL AND other.due <= NEW.due) THEN
    RAISE EXCEPTION 'Plumbline: what is owed in writing is settled by its published post-mortem alone.'
      USING ERRCODE = 'PL070', HINT = 'Write it, hand it in, and let the adoption seat confirm it.';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER written_debts_stand BEFORE UPDATE ON initiatives_obligation
  FOR EACH ROW WHEN (OLD.kind IN ('post_mortem', 'retrospective'))
  EXECUTE FUNCTION plumbline_guard_written_debt();

CREATE FUNCTION plumbline_guard_post_mortem() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'Plumbline: a post-mortem is not deleted.' USING ERRCODE = 'PL071';
  END IF;
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'draft' THEN
      RAISE EXCEPTION 'Plumbline: a post-mortem begins as a draft.' USING ERRCODE = 'PL071';
    END IF;
    RETURN NEW;
  END IF;
  IF OLD.state = 'published' THEN
    RAISE EXCEPTION 'Plumbline: a published post-mortem stays as it was confirmed.' USING ERRCODE = 'PL071';
  END IF;
  IF (NEW.obligation_id, NEW.author_id) IS DISTINCT FROM (OLD.obligation_id, OLD.author_id) THEN
    RAISE EXCEPTION 'Plumbline: a post-mortem stays with its debt and with who began it.' USING ERRCODE = 'PL071';
  END IF;
  IF NEW.state = 'published' AND (OLD.state <> 'review' OR NEW.confirmed_by_id IN (NEW.author_id, NEW.published_by_id)
     OR NEW.confirmed_by_id = (SELECT debtor_id FROM initiatives_obligation WHERE id = NEW.obligation_id)) THEN
    RAISE EXCEPTION 'Plumbline: a post-mortem is published out of review, by somebody who neither wrote nor owed it.'
      USING ERRCODE = 'PL071', HINT = 'The adoption seat of the board confirms it.';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER post_mortems_stand BEFORE INSERT OR UPDATE OR DELETE ON adoption_postmortem
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_post_mortem();
"""
NO_GUARDS = """
DROP TRIGGER written_debts_stand ON initiatives_obligation;
DROP TRIGGER post_mortems_stand ON adoption_postmortem;
DROP FUNCTION plumbline_guard_written_debt();
DROP FUNCTION plumbline_guard_post_mortem();
"""


def name_states(apps, schema_editor):
    """The states by their new names, with a row of history each, before the columns change."""
    with schema_editor.connection.cursor() as cursor:
        _say_who(cursor)
        cursor.execute(STATES)
        _tell(apps, "PostMortem", [key for (key,) in cursor.fetchall()], "~")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def name_layers(apps, schema_editor):
    """The layers as rows, with a row of history and an entry each: the triggers are not on the new table yet."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(LAYERS)
        keys = [key for (key,) in cursor.fetchall()]
        if keys:
            _say_who(cursor)
            cursor.execute(KEPT, [keys])
            _tell(apps, "Attribution", keys, "+")
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def _say_who(cursor):
    act = {"id": None, "name": WHO, "reason": "", "request": "", "at": AT.isoformat()}
    cursor.execute("SELECT set_config('plumbline.act', %s, true)", [json.dumps(act)])


def _tell(apps, name, keys, sign):
    """A row of history for each row, as it is now."""
    model, historical = apps.get_model("adoption", name), apps.get_model("adoption", f"Historical{name}")
    for row in model.objects.filter(pk__in=keys):
        kept = {field.attname: getattr(row, field.attname) for field in model._meta.concrete_fields}
        historical.objects.create(
            **kept, history_type=sign, history_date=AT, history_user_name=WHO, history_change_reason=""
        )


class Migration(migrations.Migration):

    dependencies = [
        ('adoption', '0004_signals_incidents'),
        ('initiatives', '0017_drills'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        governance.database.migration_operations.Together(
            [
                migrations.RemoveConstraint(model_name='postmortem', name='published_means_who_and_when'),
                migrations.RemoveConstraint(model_name='postmortem', name='confirmed_means_who_and_when'),
            ]
        ),
        migrations.RunPython(name_states, migrations.RunPython.noop),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameField('historicalpostmortem', 'published_at', 'handed_in_at'),
                migrations.RenameField('postmortem', 'published_at', 'handed_in_at'),
                migrations.RenameField('historicalpostmortem', 'published_by', 'handed_in_by'),
                migrations.RenameField('postmortem', 'published_by', 'handed_in_by'),
                migrations.RenameField('historicalpostmortem', 'confirmed_at', 'published_at'),
                migrations.RenameField('postmortem', 'confirmed_at', 'published_at'),
                migrations.RenameField('historicalpostmortem', 'confirmed_by', 'published_by'),
                migrations.RenameField('postmortem', 'confirmed_by', 'published_by'),
                migrations.AlterField('historicalpostmortem', 'handed_in_at', models.DateTimeField(blank=True, db_column='published_at', null=True)),
                migrations.AlterField('historicalpostmortem', 'handed_in_by', models.ForeignKey(blank=True, db_column='published_by_id', db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                migrations.AlterField('historicalpostmortem', 'published_at', models.DateTimeField(blank=True, db_column='confirmed_at', null=True)),
                migrations.AlterField('historicalpostmortem', 'published_by', models.ForeignKey(blank=True, db_column='confirmed_by_id', db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                migrations.AlterField('postmortem', 'handed_in_at', models.DateTimeField(blank=True, db_column='published_at', null=True)),
                migrations.AlterField('postmortem', 'handed_in_by', models.ForeignKey(blank=True, db_column='published_by_id', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                migrations.AlterField('postmortem', 'published_at', models.DateTimeField(blank=True, db_column='confirmed_at', null=True)),
                migrations.AlterField('postmortem', 'published_by', models.ForeignKey(blank=True, db_column='confirmed_by_id', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ]
        ),
        governance.database.migration_operations.Together(
            [
                migrations.CreateModel(
                    name='Attachment',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('title', models.CharField(max_length=200)),
                        ('file', models.FileField(max_length=200, upload_to='')),
                        ('file_name', models.CharField(max_length=200)),
                        ('content_type', models.CharField(max_length=100)),
                        ('size', models.PositiveBigIntegerField()),
                        ('sha256', models.CharField(max_length=64)),
                        ('at', models.DateTimeField()),
                        ('removed_at', models.DateTimeField(blank=True, null=True)),
                        ('removed_reason', models.TextField(blank=True, default='')),
                    ],
                    options={
                        'ordering': ['post_mortem', 'id'],
                    },
                ),
                migrations.CreateModel(
                    name='Attribution',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('side', models.CharField(choices=[('failure', 'What failed'), ('success', 'What worked')], max_length=10)),
                        ('said', models.CharField(choices=[('blamed', 'Blamed or credited at first'), ('found', 'Found')], max_length=10)),
                        ('layer', models.CharField(choices=[('model', 'Model'), ('application', 'Application'), ('integration', 'Integration'), ('policy', 'Policy'), ('runtime', 'Runtime'), ('observability', 'Observability')], max_length=20)),
                        ('by_whom', models.CharField(blank=True, choices=[('management', 'Management'), ('team', 'The team itself'), ('users', 'Its users'), ('vendor', 'The vendor'), ('press', 'Press or public'), ('board', 'The board')], default='', max_length=20)),
                        ('place', models.PositiveSmallIntegerField(default=1)),
                        ('grounds', models.TextField(blank=True, default='')),
                        ('removed_at', models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        'ordering': ['post_mortem', 'side', 'said', 'place', 'id'],
                    },
                ),
                migrations.CreateModel(
                    name='HistoricalAttachment',
                    fields=[
                        ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                        ('history_user_name', models.TextField(default='')),
                        ('history_xact', models.BigIntegerField(db_default=governance.database.row_history.TransactionId(), editable=False)),
                        ('title', models.CharField(max_length=200)),
                        ('file', models.TextField(max_length=200)),
                        ('file_name', models.CharField(max_length=200)),
                        ('content_type', models.CharField(max_length=100)),
                        ('size', models.PositiveBigIntegerField()),
                        ('sha256', models.CharField(max_length=64)),
                        ('at', models.DateTimeField()),
                        ('removed_at', models.DateTimeField(blank=True, null=True)),
                        ('removed_reason', models.TextField(blank=True, default='')),
                        ('history_user_id', models.BigIntegerField(blank=True, null=True)),
                        ('history_change_reason', models.TextField(blank=True, default='')),
                        ('history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                        ('history_date', models.DateTimeField(db_index=True)),
                        ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                    ],
                    options={
                        'verbose_name': 'historical attachment',
                        'verbose_name_plural': 'historical attachments',
                        'ordering': ('-history_date', '-history_id'),
                        'get_latest_by': ('history_date', 'history_id'),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name='HistoricalAttribution',
                    fields=[
                        ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                        ('history_user_name', models.TextField(default='')),
                        ('history_xact', models.BigIntegerField(db_default=governance.database.row_history.TransactionId(), editable=False)),
                        ('side', models.CharField(choices=[('failure', 'What failed'), ('success', 'What worked')], max_length=10)),
                        ('said', models.CharField(choices=[('blamed', 'Blamed or credited at first'), ('found', 'Found')], max_length=10)),
                        ('layer', models.CharField(choices=[('model', 'Model'), ('application', 'Application'), ('integration', 'Integration'), ('policy', 'Policy'), ('runtime', 'Runtime'), ('observability', 'Observability')], max_length=20)),
                        ('by_whom', models.CharField(blank=True, choices=[('management', 'Management'), ('team', 'The team itself'), ('users', 'Its users'), ('vendor', 'The vendor'), ('press', 'Press or public'), ('board', 'The board')], default='', max_length=20)),
                        ('place', models.PositiveSmallIntegerField(default=1)),
                        ('grounds', models.TextField(blank=True, default='')),
                        ('removed_at', models.DateTimeField(blank=True, null=True)),
                        ('history_user_id', models.BigIntegerField(blank=True, null=True)),
                        ('history_change_reason', models.TextField(blank=True, default='')),
                        ('history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                        ('history_date', models.DateTimeField(db_index=True)),
                        ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                    ],
                    options={
                        'verbose_name': 'historical attribution',
                        'verbose_name_plural': 'historical attributions',
                        'ordering': ('-history_date', '-history_id'),
                        'get_latest_by': ('history_date', 'history_id'),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name='HistoricalLinkedGap',
                    fields=[
                        ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                        ('history_user_name', models.TextField(default='')),
                        ('history_xact', models.BigIntegerField(db_default=governance.database.row_history.TransactionId(), editable=False)),
                        ('history_user_id', models.BigIntegerField(blank=True, null=True)),
                        ('history_change_reason', models.TextField(blank=True, default='')),
                        ('history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                        ('history_date', models.DateTimeField(db_index=True)),
                        ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                    ],
                    options={
                        'verbose_name': 'historical linked gap',
                        'verbose_name_plural': 'historical linked gaps',
                        'ordering': ('-history_date', '-history_id'),
                        'get_latest_by': ('history_date', 'history_id'),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name='HistoricalSectionComment',
                    fields=[
                        ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                        ('history_user_name', models.TextField(default='')),
                        ('history_xact', models.BigIntegerField(db_default=governance.database.row_history.TransactionId(), editable=False)),
                        ('section', models.CharField(blank=True, default='', max_length=30)),
                        ('text', models.TextField()),
                        ('at', models.DateTimeField()),
                        ('settled_at', models.DateTimeField(blank=True, null=True)),
                        ('history_user_id', models.BigIntegerField(blank=True, null=True)),
                        ('history_change_reason', models.TextField(blank=True, default='')),
                        ('history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                        ('history_date', models.DateTimeField(db_index=True)),
                        ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                    ],
                    options={
                        'verbose_name': 'historical section comment',
                        'verbose_name_plural': 'historical section comments',
                        'ordering': ('-history_date', '-history_id'),
                        'get_latest_by': ('history_date', 'history_id'),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name='LinkedGap',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ],
                    options={
                        'ordering': ['post_mortem', 'id'],
                    },
                ),
                migrations.CreateModel(
                    name='SectionComment',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('section', models.CharField(blank=True, default='', max_length=30)),
                        ('text', models.TextField()),
                        ('at', models.DateTimeField()),
                        ('settled_at', models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        'ordering': ['post_mortem', 'id'],
                    },
                ),
                migrations.AddField(
                    model_name='historicallesson',
                    name='instead',
                    field=models.TextField(blank=True, default=''),
                ),
                migrations.AddField(
                    model_name='historicallesson',
                    name='pattern',
                    field=models.CharField(blank=True, choices=[('data_access', 'Access to data'), ('definitions', 'Definitions that differ'), ('identity', 'Sign-on and permissions'), ('sources', 'Sources out of date or without an owner'), ('workflow', 'Work is done otherwise than assumed'), ('fallback', 'Fallback missing or never tried'), ('ownership', 'Nobody owned it'), ('evaluation', 'Tried on other cases than the real ones'), ('oversight', 'People could not check or overrule it'), ('rollout', 'Rolled out too fast or too wide'), ('monitoring', 'Nobody saw it in time'), ('vendor_change', 'The vendor changed something'), ('residency', 'Data went where they must not'), ('cost', 'Time or money counted wrongly')], default='', max_length=20),
                ),
                migrations.AddField(
                    model_name='historicallesson',
                    name='systems',
                    field=models.JSONField(blank=True, default=list),
                ),
                migrations.AddField(
                    model_name='historicallesson',
                    name='tags',
                    field=models.JSONField(blank=True, default=list),
                ),
                migrations.AddField(
                    model_name='historicallesson',
                    name='vendors',
                    field=models.JSONField(blank=True, default=list),
                ),
                migrations.AddField(
                    model_name='historicalpostmortem',
                    name='detected',
                    field=models.TextField(blank=True, default=''),
                ),
                migrations.AddField(
                    model_name='historicalpostmortem',
                    name='expected',
                    field=models.TextField(blank=True, default=''),
                ),
                migrations.AddField(
                    model_name='historicalpostmortem',
                    name='lucky',
                    field=models.TextField(blank=True, default=''),
                ),
                migrations.AddField(
                    model_name='historicalpostmortem',
                    name='made_easy',
                    field=models.TextField(blank=True, default=''),
                ),
                migrations.AddField(
                    model_name='historicalpostmortem',
                    name='no_lesson_because',
                    field=models.TextField(blank=True, default=''),
                ),
                migrations.AddField(
                    model_name='historicalpostmortem',
                    name='went_well',
                    field=models.TextField(blank=True, default=''),
                ),
                migrations.AddField(
                    model_name='lesson',
                    name='instead',
                    field=models.TextField(blank=True, default=''),
                ),
                migrations.AddField(
                    model_name='lesson',
                    name='pattern',
                    field=models.CharField(blank=True, choices=[('data_access', 'Access to data'), ('definitions', 'Definitions that differ'), ('identity', 'Sign-on and permissions'), ('sources', 'Sources out of date or without an owner'), ('workflow', 'Work is done otherwise than assumed'), ('fallback', 'Fallback missing or never tried'), ('ownership', 'Nobody owned it'), ('evaluation', 'Tried on other cases than the real ones'), ('oversight', 'People could not check or overrule it'), ('rollout', 'Rolled out too fast or too wide'), ('monitoring', 'Nobody saw it in time'), ('vendor_change', 'The vendor changed something'), ('residency', 'Data went where they must not'), ('cost', 'Time or money counted wrongly')], default='', max_length=20),
                ),
                migrations.AddField(
                    model_name='lesson',
                    name='systems',
                    field=models.JSONField(blank=True, default=list),
                ),
                migrations.AddField(
                    model_name='lesson',
                    name='tags',
                    field=models.JSONField(blank=True, default=list),
                ),
                migrations.AddField(
                    model_name='lesson',
                    name='vendors',
                    field=models.JSONField(blank=True, default=list),
                ),
                migrations.AddField(
                    model_name='postmortem',
                    name='detected',
                    field=models.TextField(blank=True, default=''),
                ),
                migrations.AddField(
                    model_name='postmortem',
                    name='expected',
                    field=models.TextField(blank=True, default=''),
                ),
                migrations.AddField(
                    model_name='postmortem',
                    name='lucky',
                    field=models.TextField(blank=True, default=''),
                ),
                migrations.AddField(
                    model_name='postmortem',
                    name='made_easy',
                    field=models.TextField(blank=True, default=''),
                ),
                migrations.AddField(
                    model_name='postmortem',
                    name='no_lesson_because',
                    field=models.TextField(blank=True, default=''),
                ),
                migrations.AddField(
                    model_name='postmortem',
                    name='went_well',
                    field=models.TextField(blank=True, default=''),
                ),
                migrations.AlterField(
                    model_name='historicalpostmortem',
                    name='state',
                    field=models.CharField(choices=[('draft', 'Draft'), ('review', 'In review'), ('published', 'Published')], default='draft', max_length=10),
                ),
                migrations.AlterField(
                    model_name='postmortem',
                    name='state',
                    field=models.CharField(choices=[('draft', 'Draft'), ('review', 'In review'), ('published', 'Published')], default='draft', max_length=10),
                ),
                migrations.AddField(
                    model_name='attachment',
                    name='by',
                    field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
                ),
                migrations.AddField(
                    model_name='attachment',
                    name='post_mortem',
                    field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='attachments', to='adoption.postmortem'),
                ),
                migrations.AddField(
                    model_name='attachment',
                    name='removed_by',
                    field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
                ),
                migrations.AddField(
                    model_name='attribution',
                    name='post_mortem',
                    field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='attributions', to='adoption.postmortem'),
                ),
                migrations.AddField(
                    model_name='historicalattachment',
                    name='by',
                    field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL),
                ),
                migrations.AddField(
                    model_name='historicalattachment',
                    name='post_mortem',
                    field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='adoption.postmortem'),
                ),
                migrations.AddField(
                    model_name='historicalattachment',
                    name='removed_by',
                    field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL),
                ),
                migrations.AddField(
                    model_name='historicalattribution',
                    name='post_mortem',
                    field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='adoption.postmortem'),
                ),
                migrations.AddField(
                    model_name='historicallinkedgap',
                    name='gap',
                    field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='initiatives.gap'),
                ),
                migrations.AddField(
                    model_name='historicallinkedgap',
                    name='post_mortem',
                    field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='adoption.postmortem'),
                ),
                migrations.AddField(
                    model_name='historicalsectioncomment',
                    name='by',
                    field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL),
                ),
                migrations.AddField(
                    model_name='historicalsectioncomment',
                    name='post_mortem',
                    field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='adoption.postmortem'),
                ),
                migrations.AddField(
                    model_name='historicalsectioncomment',
                    name='settled_by',
                    field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL),
                ),
                migrations.AddField(
                    model_name='linkedgap',
                    name='gap',
                    field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='opened_in', to='initiatives.gap'),
                ),
                migrations.AddField(
                    model_name='linkedgap',
                    name='post_mortem',
                    field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='linked_gaps', to='adoption.postmortem'),
                ),
                migrations.AddField(
                    model_name='sectioncomment',
                    name='by',
                    field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
                ),
                migrations.AddField(
                    model_name='sectioncomment',
                    name='post_mortem',
                    field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='comments', to='adoption.postmortem'),
                ),
                migrations.AddField(
                    model_name='sectioncomment',
                    name='settled_by',
                    field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
                ),
                migrations.AddConstraint(
                    model_name='attachment',
                    constraint=models.CheckConstraint(condition=models.Q(models.Q(('sha256', ''), _negated=True), models.Q(('file', ''), _negated=True)), name='an_attachment_has_its_hash'),
                ),
                migrations.AddConstraint(
                    model_name='attachment',
                    constraint=models.CheckConstraint(condition=models.Q(models.Q(('removed_at__isnull', True), ('removed_by__isnull', True)), models.Q(('removed_at__isnull', False), ('removed_by__isnull', False), models.Q(('removed_reason', ''), _negated=True)), _connector='OR'), name='an_attachment_is_taken_out_by_whom_and_why'),
                ),
                migrations.AddConstraint(
                    model_name='attribution',
                    constraint=models.UniqueConstraint(condition=models.Q(('removed_at__isnull', True), ('said', 'blamed')), fields=('post_mortem', 'side', 'layer', 'by_whom'), name='each_voice_blames_a_layer_once'),
                ),
                migrations.AddConstraint(
                    model_name='attribution',
                    constraint=models.UniqueConstraint(condition=models.Q(('removed_at__isnull', True), ('said', 'found')), fields=('post_mortem', 'side', 'layer'), name='a_layer_is_found_once'),
                ),
                migrations.AddConstraint(
                    model_name='attribution',
                    constraint=models.CheckConstraint(condition=models.Q(('by_whom', ''), ('said', 'blamed'), _connector='OR'), name='who_blamed_is_said_of_blame'),
                ),
                migrations.AddConstraint(
                    model_name='sectioncomment',
                    constraint=models.CheckConstraint(condition=models.Q(models.Q(('settled_at__isnull', True), ('settled_by__isnull', True)), models.Q(('settled_at__isnull', False), ('settled_by__isnull', False)), _connector='OR'), name='a_comment_is_settled_by_whom'),
                ),
            ]
        ),
        migrations.RunPython(name_layers, migrations.RunPython.noop),
        governance.database.migration_operations.Together(
            [
                migrations.RemoveField(
                    model_name='historicalpostmortem',
                    name='attribution',
                ),
                migrations.RemoveField(
                    model_name='historicalpostmortem',
                    name='blamed_layer',
                ),
                migrations.RemoveField(
                    model_name='historicalpostmortem',
                    name='found_layer',
                ),
                migrations.RemoveField(
                    model_name='postmortem',
                    name='attribution',
                ),
                migrations.RemoveField(
                    model_name='postmortem',
                    name='blamed_layer',
                ),
                migrations.RemoveField(
                    model_name='postmortem',
                    name='found_layer',
                ),
                migrations.AddConstraint(
                    model_name='postmortem',
                    constraint=models.CheckConstraint(condition=models.Q(models.Q(('handed_in_at__isnull', True), ('handed_in_by__isnull', True), ('state', 'draft')), models.Q(models.Q(('state', 'draft'), _negated=True), ('handed_in_at__isnull', False), ('handed_in_by__isnull', False)), _connector='OR'), name='handed_in_means_who_and_when'),
                ),
                migrations.AddConstraint(
                    model_name='postmortem',
                    constraint=models.CheckConstraint(condition=models.Q(models.Q(models.Q(('state', 'published'), _negated=True), ('published_at__isnull', True), ('published_by__isnull', True)), models.Q(('published_at__isnull', False), ('published_by__isnull', False), ('state', 'published')), _connector='OR'), name='published_means_confirmed_by_whom_and_when'),
                ),
            ]
        ),
        migrations.RunSQL(GUARDS, NO_GUARDS),
    ]
