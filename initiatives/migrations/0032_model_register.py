"""The model register; each vendor that a component names becomes a row of the register of vendors."""

import json

import django.db.models.deletion
import django.db.models.functions.text
import simple_history.models
from django.conf import settings
from django.db import migrations, models
from django.utils import timezone

import governance.database.row_history
from governance.database.migration_operations import Together

WHO = "system: register of vendors"
AT = timezone.now()  # one moment for the rows of history and their entries
# Names that differ in their letters alone are one vendor, as the register of vendors has it.
LISTED = """
INSERT INTO initiatives_vendor (name, listed_by_component)
SELECT min(c.vendor), true FROM initiatives_component c
 WHERE c.vendor <> '' AND NOT EXISTS (SELECT 1 FROM initiatives_vendor v WHERE lower(v.name) = lower(c.vendor))
 GROUP BY lower(c.vendor) ORDER BY 1
RETURNING id
"""
NAMED = """
UPDATE initiatives_component c SET listed_vendor_id = v.id
  FROM initiatives_vendor v WHERE c.vendor <> '' AND lower(v.name) = lower(c.vendor)
RETURNING c.id
"""

# Where the triggers that capture rows are not on yet (a backup of an earlier state that was put back), each row is
# entered here.
KEPT_VENDORS = """
SELECT plumbline_keep_row('initiatives_vendor', row.id::text, '+', NULL::bigint, NULL::json, row_to_json(row))
  FROM initiatives_vendor row WHERE row.id = ANY (%s) AND NOT EXISTS (
    SELECT 1 FROM pg_trigger WHERE tgname = 'captured' AND tgrelid = 'initiatives_vendor'::regclass)
"""
KEPT_COMPONENTS = """
SELECT plumbline_keep_row('initiatives_component', row.id::text, '~', i.number,
         (to_jsonb(row) || '{"listed_vendor_id": null}')::json, row_to_json(row))
  FROM initiatives_component row JOIN initiatives_initiative i ON i.id = row.initiative_id
 WHERE row.id = ANY (%s) AND NOT EXISTS (
    SELECT 1 FROM pg_trigger WHERE tgname = 'captured' AND tgrelid = 'initiatives_component'::regclass)
"""

# What was declared before the result stays as it was declared; what was measured stays as it was told.
GUARDS = """
CREATE FUNCTION plumbline_guard_model_evaluation() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'Plumbline: an evaluation is not deleted.'
      USING ERRCODE = 'PL045', HINT = 'Withdraw it, and say why.';
  END IF;
  IF TG_OP = 'INSERT' THEN
    IF NEW.result IS NOT NULL THEN
      RAISE EXCEPTION 'Plumbline: a threshold is declared before its result.'
        USING ERRCODE = 'PL045', HINT = 'Declare data set, metric and threshold first; then record what was measured.';
    END IF;
    RETURN NEW;
  END IF;
  IF (NEW.initiative_id, NEW.component_version_id, NEW.data_set, NEW.metric, NEW.comparison, NEW.threshold,
      NEW.declared_by_id, NEW.declared_on)
     IS DISTINCT FROM
     (OLD.initiative_id, OLD.component_version_id, OLD.data_set, OLD.metric, OLD.comparison, OLD.threshold,
      OLD.declared_by_id, OLD.declared_on) THEN
    RAISE EXCEPTION 'Plumbline: an evaluation stays as it was declared.'
      USING ERRCODE = 'PL045', HINT = 'Withdraw it, and declare another.';
  END IF;
  IF OLD.result IS NOT NULL AND (NEW.result, NEW.n, NEW.measured_on, NEW.result_by_id, NEW.result_at)
     IS DISTINCT FROM (OLD.result, OLD.n, OLD.measured_on, OLD.result_by_id, OLD.result_at) THEN
    RAISE EXCEPTION 'Plumbline: the result of an evaluation stays as it was recorded.'
      USING ERRCODE = 'PL045', HINT = 'Withdraw it, and declare another.';
  END IF;
  RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION plumbline_guard_model_evaluation() FROM PUBLIC;
CREATE TRIGGER evaluations_stand BEFORE INSERT OR UPDATE OR DELETE ON initiatives_modelevaluation
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_model_evaluation();
"""
NO_GUARDS = """
DROP TRIGGER evaluations_stand ON initiatives_modelevaluation;
DROP FUNCTION plumbline_guard_model_evaluation();
"""


def list_vendors(apps, schema_editor):
    """The vendors that components name as rows, each component with its row; a row of history and an entry each."""
    with schema_editor.connection.cursor() as cursor:
        act = {"id": None, "name": WHO, "reason": "", "request": "", "at": AT.isoformat()}
        cursor.execute("SELECT set_config('plumbline.act', %s, true)", [json.dumps(act)])
        for name, statement, kept, sign in (
            ("Vendor", LISTED, KEPT_VENDORS, "+"),
            ("Component", NAMED, KEPT_COMPONENTS, "~"),
        ):
            cursor.execute(statement)
            keys = [key for (key,) in cursor.fetchall()]
            cursor.execute(kept, [keys])
            _tell(apps, name, keys, sign)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def _tell(apps, name, keys, sign):
    """A row of history for each row, as it is now."""
    model, historical = apps.get_model("initiatives", name), apps.get_model("initiatives", f"Historical{name}")
    for row in model.objects.filter(pk__in=keys):
        kept = {field.attname: getattr(row, field.attname) for field in model._meta.concrete_fields}
        historical.objects.create(
            **kept, history_type=sign, history_date=AT, history_user_name=WHO, history_change_reason=""
        )


class Migration(migrations.Migration):

    dependencies = [
        ('initiatives', '0031_evidence_details'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        Together(
            [
                migrations.CreateModel(
                    name='HistoricalModelEvaluation',
                    fields=[
                        ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                        ('history_user_name', models.TextField(default='')),
                        ('history_xact', models.BigIntegerField(db_default=governance.database.row_history.TransactionId(), editable=False)),
                        ('data_set', models.CharField(max_length=200)),
                        ('metric', models.CharField(max_length=120)),
                        ('comparison', models.CharField(choices=[('at_least', 'at least'), ('at_most', 'at most')], max_length=10)),
                        ('threshold', models.DecimalField(decimal_places=6, max_digits=20)),
                        ('declared_on', models.DateField()),
                        ('result', models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True)),
                        ('n', models.PositiveIntegerField(blank=True, null=True)),
                        ('measured_on', models.DateField(blank=True, null=True)),
                        ('result_at', models.DateTimeField(blank=True, null=True)),
                        ('withdrawn_at', models.DateTimeField(blank=True, null=True)),
                        ('withdrawn_reason', models.TextField(blank=True, default='')),
                        ('history_user_id', models.BigIntegerField(blank=True, null=True)),
                        ('history_change_reason', models.TextField(blank=True, default='')),
                        ('history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                        ('history_date', models.DateTimeField(db_index=True)),
                        ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                    ],
                    options={
                        'verbose_name': 'historical model evaluation',
                        'verbose_name_plural': 'historical model evaluations',
                        'ordering': ('-history_date', '-history_id'),
                        'get_latest_by': ('history_date', 'history_id'),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name='HistoricalModelVersion',
                    fields=[
                        ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                        ('history_user_name', models.TextField(default='')),
                        ('history_xact', models.BigIntegerField(db_default=governance.database.row_history.TransactionId(), editable=False)),
                        ('family', models.CharField(max_length=120)),
                        ('version', models.CharField(max_length=80)),
                        ('region', models.CharField(blank=True, default='', max_length=60)),
                        ('end_of_life', models.DateField(blank=True, null=True)),
                        ('end_of_life_source', models.CharField(blank=True, default='', max_length=250)),
                        ('added_at', models.DateTimeField()),
                        ('confirmed_at', models.DateTimeField(blank=True, null=True)),
                        ('history_user_id', models.BigIntegerField(blank=True, null=True)),
                        ('history_change_reason', models.TextField(blank=True, default='')),
                        ('history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                        ('history_date', models.DateTimeField(db_index=True)),
                        ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                    ],
                    options={
                        'verbose_name': 'historical model version',
                        'verbose_name_plural': 'historical model versions',
                        'ordering': ('-history_date', '-history_id'),
                        'get_latest_by': ('history_date', 'history_id'),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name='ModelEvaluation',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('data_set', models.CharField(max_length=200)),
                        ('metric', models.CharField(max_length=120)),
                        ('comparison', models.CharField(choices=[('at_least', 'at least'), ('at_most', 'at most')], max_length=10)),
                        ('threshold', models.DecimalField(decimal_places=6, max_digits=20)),
                        ('declared_on', models.DateField()),
                        ('result', models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True)),
                        ('n', models.PositiveIntegerField(blank=True, null=True)),
                        ('measured_on', models.DateField(blank=True, null=True)),
                        ('result_at', models.DateTimeField(blank=True, null=True)),
                        ('withdrawn_at', models.DateTimeField(blank=True, null=True)),
                        ('withdrawn_reason', models.TextField(blank=True, default='')),
                    ],
                    options={
                        'ordering': ['initiative', 'declared_on', 'id'],
                    },
                ),
                migrations.CreateModel(
                    name='ModelVersion',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('family', models.CharField(max_length=120)),
                        ('version', models.CharField(max_length=80)),
                        ('region', models.CharField(blank=True, default='', max_length=60)),
                        ('end_of_life', models.DateField(blank=True, null=True)),
                        ('end_of_life_source', models.CharField(blank=True, default='', max_length=250)),
                        ('added_at', models.DateTimeField()),
                        ('confirmed_at', models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        'ordering': ['vendor__name', 'family', 'version', 'region'],
                    },
                ),
                migrations.AddField(
                    model_name='vendor',
                    name='listed_by_component',
                    field=models.BooleanField(default=False),
                ),
                migrations.AddField(
                    model_name='historicalvendor',
                    name='listed_by_component',
                    field=models.BooleanField(default=False),
                ),
                migrations.AddField(
                    model_name='component',
                    name='listed_vendor',
                    field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='components', to='initiatives.vendor'),
                ),
                migrations.AddField(
                    model_name='historicalcomponent',
                    name='listed_vendor',
                    field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='initiatives.vendor'),
                ),
                migrations.AddField(
                    model_name='historicalmodelevaluation',
                    name='component_version',
                    field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='initiatives.componentversion'),
                ),
                migrations.AddField(
                    model_name='historicalmodelevaluation',
                    name='declared_by',
                    field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL),
                ),
                migrations.AddField(
                    model_name='historicalmodelevaluation',
                    name='initiative',
                    field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='initiatives.initiative'),
                ),
                migrations.AddField(
                    model_name='historicalmodelevaluation',
                    name='result_by',
                    field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL),
                ),
                migrations.AddField(
                    model_name='historicalmodelevaluation',
                    name='withdrawn_by',
                    field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL),
                ),
                migrations.AddField(
                    model_name='historicalmodelversion',
                    name='added_by',
                    field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL),
                ),
                migrations.AddField(
                    model_name='historicalmodelversion',
                    name='confirmed_by',
                    field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL),
                ),
                migrations.AddField(
                    model_name='historicalmodelversion',
                    name='vendor',
                    field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='initiatives.vendor'),
                ),
                migrations.AddField(
                    model_name='modelevaluation',
                    name='component_version',
                    field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='evaluations', to='initiatives.componentversion'),
                ),
                migrations.AddField(
                    model_name='modelevaluation',
                    name='declared_by',
                    field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
                ),
                migrations.AddField(
                    model_name='modelevaluation',
                    name='initiative',
                    field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='model_evaluations', to='initiatives.initiative'),
                ),
                migrations.AddField(
                    model_name='modelevaluation',
                    name='result_by',
                    field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
                ),
                migrations.AddField(
                    model_name='modelevaluation',
                    name='withdrawn_by',
                    field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
                ),
                migrations.AddField(
                    model_name='modelversion',
                    name='added_by',
                    field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
                ),
                migrations.AddField(
                    model_name='modelversion',
                    name='confirmed_by',
                    field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
                ),
                migrations.AddField(
                    model_name='modelversion',
                    name='successor',
                    field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='predecessors', to='initiatives.modelversion'),
                ),
                migrations.AddField(
                    model_name='modelversion',
                    name='vendor',
                    field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='models', to='initiatives.vendor'),
                ),
                migrations.AddField(
                    model_name='historicalmodelversion',
                    name='successor',
                    field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='initiatives.modelversion'),
                ),
                migrations.AddField(
                    model_name='componentversion',
                    name='model_version',
                    field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='uses', to='initiatives.modelversion'),
                ),
                migrations.AddField(
                    model_name='historicalcomponentversion',
                    name='model_version',
                    field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='initiatives.modelversion'),
                ),
                migrations.AddConstraint(
                    model_name='modelevaluation',
                    constraint=models.CheckConstraint(condition=models.Q(models.Q(('measured_on__isnull', True), ('n__isnull', True), ('result__isnull', True), ('result_at__isnull', True), ('result_by__isnull', True)), models.Q(('measured_on__isnull', False), ('n__gte', 1), ('result__isnull', False), ('result_at__isnull', False), ('result_by__isnull', False)), _connector='OR'), name='a_result_has_its_day_its_number_and_its_person'),
                ),
                migrations.AddConstraint(
                    model_name='modelevaluation',
                    constraint=models.CheckConstraint(condition=models.Q(('measured_on__isnull', True), ('measured_on__gte', models.F('declared_on')), _connector='OR'), name='a_threshold_is_declared_before_its_result'),
                ),
                migrations.AddConstraint(
                    model_name='modelevaluation',
                    constraint=models.CheckConstraint(condition=models.Q(models.Q(('withdrawn_at__isnull', True), ('withdrawn_by__isnull', True)), models.Q(('withdrawn_at__isnull', False), ('withdrawn_by__isnull', False), models.Q(('withdrawn_reason', ''), _negated=True)), _connector='OR'), name='evaluation_withdrawn_means_who_when_and_why'),
                ),
                migrations.AddConstraint(
                    model_name='modelversion',
                    constraint=models.UniqueConstraint(models.F('vendor'), django.db.models.functions.text.Lower('family'), django.db.models.functions.text.Lower('version'), django.db.models.functions.text.Lower('region'), name='models_are_listed_once'),
                ),
                migrations.AddConstraint(
                    model_name='modelversion',
                    constraint=models.CheckConstraint(condition=models.Q(('end_of_life__isnull', True), models.Q(('end_of_life_source', ''), _negated=True), _connector='OR'), name='an_end_of_life_names_its_source'),
                ),
                migrations.AddConstraint(
                    model_name='modelversion',
                    constraint=models.CheckConstraint(condition=models.Q(('successor', models.F('id')), _negated=True), name='no_model_follows_itself'),
                ),
                migrations.AddConstraint(
                    model_name='modelversion',
                    constraint=models.CheckConstraint(condition=models.Q(models.Q(('confirmed_at__isnull', True), ('confirmed_by__isnull', True)), models.Q(('confirmed_at__isnull', False), ('confirmed_by__isnull', False)), _connector='OR'), name='model_confirmed_means_who_and_when'),
                ),
            ]
        ),
        migrations.RunPython(list_vendors, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name='component',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('listed_vendor__isnull', True), ('vendor', '')), models.Q(models.Q(('vendor', ''), _negated=True), ('listed_vendor__isnull', False)), _connector='OR'), name='a_vendor_of_a_component_is_listed'),
        ),
        migrations.RunSQL(GUARDS, NO_GUARDS),
    ]
