"""A shorter time for what was said to systems of a case: asked for, signed by two, until a day."""

import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import governance.database.migration_operations
import governance.database.row_history


class Migration(migrations.Migration):

    dependencies = [
        ('initiatives', '0042_saved_views'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        governance.database.migration_operations.Together(
            [
                migrations.CreateModel(
                    name='HistoricalBodyTerm',
                    fields=[
                        ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                        ('history_user_name', models.TextField(default='')),
                        ('history_xact', models.BigIntegerField(db_default=governance.database.row_history.TransactionId(), editable=False)),
                        ('days', models.PositiveSmallIntegerField()),
                        ('legal_basis', models.TextField()),
                        ('requested_at', models.DateTimeField()),
                        ('until', models.DateField()),
                        ('risk_at', models.DateTimeField(blank=True, null=True)),
                        ('auditor_at', models.DateTimeField(blank=True, null=True)),
                        ('refused_at', models.DateTimeField(blank=True, null=True)),
                        ('history_user_id', models.BigIntegerField(blank=True, null=True)),
                        ('history_change_reason', models.TextField(blank=True, default='')),
                        ('history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                        ('history_date', models.DateTimeField(db_index=True)),
                        ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                        ('auditor', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('initiative', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='initiatives.initiative')),
                        ('refused_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('requested_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('risk', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'verbose_name': 'historical body term',
                        'verbose_name_plural': 'historical body terms',
                        'ordering': ('-history_date', '-history_id'),
                        'get_latest_by': ('history_date', 'history_id'),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name='BodyTerm',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('days', models.PositiveSmallIntegerField()),
                        ('legal_basis', models.TextField()),
                        ('requested_at', models.DateTimeField()),
                        ('until', models.DateField()),
                        ('risk_at', models.DateTimeField(blank=True, null=True)),
                        ('auditor_at', models.DateTimeField(blank=True, null=True)),
                        ('refused_at', models.DateTimeField(blank=True, null=True)),
                        ('auditor', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('initiative', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='body_terms', to='initiatives.initiative')),
                        ('refused_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('requested_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('risk', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'ordering': ['initiative', 'id'],
                        'constraints': [models.CheckConstraint(condition=models.Q(('days__gte', 183), ('days__lte', 729)), name='a_body_term_is_of_183_to_729_days'), models.CheckConstraint(condition=models.Q(('risk__isnull', True), ('auditor__isnull', True), models.Q(('risk', models.F('auditor')), _negated=True), _connector='OR'), name='a_body_term_has_two_signers'), models.CheckConstraint(condition=models.Q(models.Q(('risk__isnull', True), models.Q(('risk', models.F('requested_by')), _negated=True), _connector='OR'), models.Q(('auditor__isnull', True), models.Q(('auditor', models.F('requested_by')), _negated=True), _connector='OR')), name='nobody_signs_their_own_body_term'), models.CheckConstraint(condition=models.Q(models.Q(models.Q(('risk__isnull', True), ('risk_at__isnull', True)), models.Q(('risk__isnull', False), ('risk_at__isnull', False)), _connector='OR'), models.Q(models.Q(('auditor__isnull', True), ('auditor_at__isnull', True)), models.Q(('auditor__isnull', False), ('auditor_at__isnull', False)), _connector='OR')), name='a_body_term_is_signed_by_whom_and_when'), models.UniqueConstraint(condition=models.Q(models.Q(('refused_at__isnull', True), ('risk_at__isnull', True)), models.Q(('auditor_at__isnull', True), ('refused_at__isnull', True)), _connector='OR'), fields=('initiative',), name='one_body_term_request_at_a_time')],
                    },
                ),
            ]
        ),
    ]
