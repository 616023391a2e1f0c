"""The portfolio of the organisation itself: what it says of money and dates; files thrown away and imports undone.

A claim that is taken back leads to an idea, while the stage rests on nothing but the import.
"""

import importlib

import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import governance.database.migration_operations
import governance.database.row_history

_GUARDS = importlib.import_module("initiatives.migrations.0002_guards").GUARDS
_START = _GUARDS.index("CREATE FUNCTION plumbline_guard_stage_change()")
GUARD = "CREATE OR REPLACE" + _GUARDS[_START + len("CREATE") : _GUARDS.index("END $$;", _START)] + "END $$;"
ONE_MOVE = "    IF NOT (NEW.basis = 'import' AND NEW.from_stage = 'proposed' AND NEW.to_stage <> 'proposed')\n"
DECIDED = "    IF NEW.basis = 'decision' AND NOT EXISTS ("
TAKEN_BACK = GUARD.replace(
    ONE_MOVE,
    ONE_MOVE
    + """\
       AND NOT (NEW.basis = 'import undone' AND NEW.from_stage <> 'proposed' AND NEW.to_stage = 'proposed')
""",
).replace(
    DECIDED,
    """\
    IF NEW.basis = 'import undone' AND NOT EXISTS (
         SELECT FROM initiatives_initiative WHERE id = NEW.initiative_id AND basis = 'import') THEN
      RAISE EXCEPTION 'Plumbline: the stage of this case rests on a decision, not on an import alone.'
        USING ERRCODE = 'PL010';
    END IF;
"""
    + DECIDED,
)

if not GUARD.count(ONE_MOVE) == GUARD.count(DECIDED) == 1:
    raise ValueError("the guard of stage changes reads otherwise")


class Migration(migrations.Migration):

    dependencies = [
        ('initiatives', '0048_one_human'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        governance.database.migration_operations.Together(
            [
                migrations.CreateModel(
                    name='BusinessCase',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('vendor', models.CharField(blank=True, default='', max_length=160)),
                        ('currency', models.CharField(blank=True, default='', max_length=3)),
                        ('budget', models.DecimalField(blank=True, decimal_places=2, max_digits=16, null=True)),
                        ('run_cost', models.DecimalField(blank=True, decimal_places=2, max_digits=16, null=True)),
                        ('benefit', models.DecimalField(blank=True, decimal_places=2, max_digits=16, null=True)),
                        ('go_live_on', models.DateField(blank=True, null=True)),
                        ('ticket', models.CharField(blank=True, default='', max_length=160)),
                    ],
                    options={
                        'ordering': ['initiative'],
                    },
                ),
                migrations.CreateModel(
                    name='HistoricalBusinessCase',
                    fields=[
                        ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                        ('history_user_name', models.TextField(default='')),
                        ('history_xact', models.BigIntegerField(db_default=governance.database.row_history.TransactionId(), editable=False)),
                        ('vendor', models.CharField(blank=True, default='', max_length=160)),
                        ('currency', models.CharField(blank=True, default='', max_length=3)),
                        ('budget', models.DecimalField(blank=True, decimal_places=2, max_digits=16, null=True)),
                        ('run_cost', models.DecimalField(blank=True, decimal_places=2, max_digits=16, null=True)),
                        ('benefit', models.DecimalField(blank=True, decimal_places=2, max_digits=16, null=True)),
                        ('go_live_on', models.DateField(blank=True, null=True)),
                        ('ticket', models.CharField(blank=True, default='', max_length=160)),
                        ('history_user_id', models.BigIntegerField(blank=True, null=True)),
                        ('history_change_reason', models.TextField(blank=True, default='')),
                        ('history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                        ('history_date', models.DateTimeField(db_index=True)),
                        ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                    ],
                    options={
                        'verbose_name': 'historical business case',
                        'verbose_name_plural': 'historical business cases',
                        'ordering': ('-history_date', '-history_id'),
                        'get_latest_by': ('history_date', 'history_id'),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.AddField(
                    model_name='historicalimportbatch',
                    name='discarded_at',
                    field=models.DateTimeField(blank=True, null=True),
                ),
                migrations.AddField(
                    model_name='historicalimportbatch',
                    name='discarded_by',
                    field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL),
                ),
                migrations.AddField(
                    model_name='historicalimportbatch',
                    name='own',
                    field=models.BooleanField(default=False),
                ),
                migrations.AddField(
                    model_name='historicalimportbatch',
                    name='undone_at',
                    field=models.DateTimeField(blank=True, null=True),
                ),
                migrations.AddField(
                    model_name='historicalimportbatch',
                    name='undone_by',
                    field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL),
                ),
                migrations.AddField(
                    model_name='historicalimportbatch',
                    name='undone_reason',
                    field=models.TextField(blank=True, default=''),
                ),
                migrations.AddField(
                    model_name='importbatch',
                    name='discarded_at',
                    field=models.DateTimeField(blank=True, null=True),
                ),
                migrations.AddField(
                    model_name='importbatch',
                    name='discarded_by',
                    field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
                ),
                migrations.AddField(
                    model_name='importbatch',
                    name='own',
                    field=models.BooleanField(default=False),
                ),
                migrations.AddField(
                    model_name='importbatch',
                    name='undone_at',
                    field=models.DateTimeField(blank=True, null=True),
                ),
                migrations.AddField(
                    model_name='importbatch',
                    name='undone_by',
                    field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
                ),
                migrations.AddField(
                    model_name='importbatch',
                    name='undone_reason',
                    field=models.TextField(blank=True, default=''),
                ),
                migrations.AlterField(
                    model_name='importrow',
                    name='decision',
                    field=models.CharField(choices=[('import', 'Import'), ('merge', 'Merge: the same line twice'), ('triage', 'Needs review'), ('reject', 'Rejected'), ('unchanged', 'Unchanged'), ('change', 'Proposed changes')], max_length=12),
                ),
                migrations.AddConstraint(
                    model_name='importbatch',
                    constraint=models.CheckConstraint(condition=models.Q(models.Q(('discarded_at__isnull', True), ('discarded_by__isnull', True)), models.Q(('discarded_at__isnull', False), ('discarded_by__isnull', False)), _connector='OR'), name='import_discarded_means_who_and_when'),
                ),
                migrations.AddConstraint(
                    model_name='importbatch',
                    constraint=models.CheckConstraint(condition=models.Q(models.Q(('undone_at__isnull', True), ('undone_by__isnull', True)), models.Q(('undone_at__isnull', False), ('undone_by__isnull', False)), _connector='OR'), name='import_undone_means_who_and_when'),
                ),
                migrations.AddField(
                    model_name='businesscase',
                    name='initiative',
                    field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='business_case', to='initiatives.initiative'),
                ),
                migrations.AddField(
                    model_name='historicalbusinesscase',
                    name='initiative',
                    field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='initiatives.initiative'),
                ),
                migrations.AddConstraint(
                    model_name='businesscase',
                    constraint=models.CheckConstraint(condition=models.Q(models.Q(('benefit__isnull', True), ('budget__isnull', True), ('run_cost__isnull', True)), models.Q(('currency', ''), _negated=True), _connector='OR'), name='amounts_have_a_currency'),
                ),
                migrations.AddConstraint(
                    model_name='businesscase',
                    constraint=models.CheckConstraint(condition=models.Q(models.Q(('budget__isnull', True), ('budget__gte', 0), _connector='OR'), models.Q(('run_cost__isnull', True), ('run_cost__gte', 0), _connector='OR'), models.Q(('benefit__isnull', True), ('benefit__gte', 0), _connector='OR')), name='amounts_are_not_negative'),
                ),
            ]
        ),
        migrations.RunSQL(TAKEN_BACK, GUARD),
    ]
