"""Which cases are not similar, and the intake: links of units, what came by them, who sent it."""

import django.db.models.deletion
import django.db.models.functions.comparison
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import governance.database.migration_operations
import governance.database.row_history
import initiatives.models.imports


class Migration(migrations.Migration):

    dependencies = [
        ("governance", "0020_outcomes"),
        ('initiatives', '0032_model_register'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        governance.database.migration_operations.Together(
            [
                migrations.CreateModel(
                    name='HistoricalIntakeLink',
                    fields=[
                        ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                        ('history_user_name', models.TextField(default='')),
                        ('history_xact', models.BigIntegerField(db_default=governance.database.row_history.TransactionId(), editable=False)),
                        ('token', models.CharField(db_index=True, default=initiatives.models.imports.new_token, editable=False, max_length=32)),
                        ('until', models.DateField()),
                        ('made_at', models.DateTimeField()),
                        ('ended_at', models.DateTimeField(blank=True, null=True)),
                        ('history_user_id', models.BigIntegerField(blank=True, null=True)),
                        ('history_change_reason', models.TextField(blank=True, default='')),
                        ('history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                        ('history_date', models.DateTimeField(db_index=True)),
                        ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                        ('ended_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('made_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('unit', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='governance.unit')),
                    ],
                    options={
                        'verbose_name': 'historical intake link',
                        'verbose_name_plural': 'historical intake links',
                        'ordering': ('-history_date', '-history_id'),
                        'get_latest_by': ('history_date', 'history_id'),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name='IntakeLink',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('token', models.CharField(default=initiatives.models.imports.new_token, editable=False, max_length=32, unique=True)),
                        ('until', models.DateField()),
                        ('made_at', models.DateTimeField()),
                        ('ended_at', models.DateTimeField(blank=True, null=True)),
                        ('ended_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('made_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('unit', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='intake_links', to='governance.unit')),
                    ],
                    options={
                        'ordering': ['unit', '-id'],
                    },
                ),
                migrations.CreateModel(
                    name='HistoricalIntakeRequest',
                    fields=[
                        ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                        ('history_user_name', models.TextField(default='')),
                        ('history_xact', models.BigIntegerField(db_default=governance.database.row_history.TransactionId(), editable=False)),
                        ('problem', models.TextField()),
                        ('users', models.TextField()),
                        ('hurts', models.TextField(blank=True, default='')),
                        ('received_at', models.DateTimeField()),
                        ('once', models.UUIDField(db_index=True, editable=False, null=True)),
                        ('state', models.CharField(choices=[('waiting', 'Waiting'), ('idea', 'Became an idea'), ('declined', 'Declined')], default='waiting', max_length=10)),
                        ('reason', models.TextField(blank=True, default='')),
                        ('decided_at', models.DateTimeField(blank=True, null=True)),
                        ('invitation', models.CharField(choices=[('none', 'Not asked for'), ('asked', 'Asked for'), ('invited', 'Invited'), ('left', 'Not invited')], default='none', max_length=10)),
                        ('history_user_id', models.BigIntegerField(blank=True, null=True)),
                        ('history_change_reason', models.TextField(blank=True, default='')),
                        ('history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                        ('history_date', models.DateTimeField(db_index=True)),
                        ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                        ('decided_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('initiative', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='initiatives.initiative')),
                        ('unit', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='governance.unit')),
                        ('link', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='initiatives.intakelink')),
                    ],
                    options={
                        'verbose_name': 'historical intake request',
                        'verbose_name_plural': 'historical intake requests',
                        'ordering': ('-history_date', '-history_id'),
                        'get_latest_by': ('history_date', 'history_id'),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name='IntakeRequest',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('problem', models.TextField()),
                        ('users', models.TextField()),
                        ('hurts', models.TextField(blank=True, default='')),
                        ('received_at', models.DateTimeField()),
                        ('once', models.UUIDField(editable=False, null=True, unique=True)),
                        ('state', models.CharField(choices=[('waiting', 'Waiting'), ('idea', 'Became an idea'), ('declined', 'Declined')], default='waiting', max_length=10)),
                        ('reason', models.TextField(blank=True, default='')),
                        ('decided_at', models.DateTimeField(blank=True, null=True)),
                        ('invitation', models.CharField(choices=[('none', 'Not asked for'), ('asked', 'Asked for'), ('invited', 'Invited'), ('left', 'Not invited')], default='none', max_length=10)),
                        ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('initiative', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='intake_request', to='initiatives.initiative')),
                        ('link', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='requests', to='initiatives.intakelink')),
                        ('unit', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='intake_requests', to='governance.unit')),
                    ],
                    options={
                        'ordering': ['unit', 'id'],
                    },
                ),
                migrations.CreateModel(
                    name='IntakeSender',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('name', models.CharField(max_length=120)),
                        ('email', models.EmailField(max_length=254)),
                        ('request', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='sender', to='initiatives.intakerequest')),
                    ],
                ),
                migrations.CreateModel(
                    name='NotSimilar',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('xact', models.BigIntegerField(db_default=governance.database.row_history.TransactionId(), editable=False)),
                        ('at', models.DateTimeField()),
                        ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('initiative', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='not_similar', to='initiatives.initiative')),
                        ('other', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='not_similar_to', to='initiatives.initiative')),
                    ],
                    options={
                        'ordering': ['initiative', 'id'],
                    },
                ),
                migrations.AddConstraint(
                    model_name='intakelink',
                    constraint=models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('unit',), name='one_open_intake_link_per_unit'),
                ),
                migrations.AddConstraint(
                    model_name='intakelink',
                    constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('ended_by__isnull', True)), models.Q(('ended_at__isnull', False), ('ended_by__isnull', False)), _connector='OR'), name='intake_link_ended_means_who_and_when'),
                ),
                migrations.AddIndex(
                    model_name='intakerequest',
                    index=models.Index(condition=models.Q(('state', 'waiting')), fields=['unit'], name='waiting_requests_by_unit'),
                ),
                migrations.AddConstraint(
                    model_name='intakerequest',
                    constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True)), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='intake_decided_means_who_and_when'),
                ),
                migrations.AddConstraint(
                    model_name='intakerequest',
                    constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('initiative__isnull', True), ('reason', ''), ('state', 'waiting')), models.Q(('decided_at__isnull', False), ('initiative__isnull', False), ('reason', ''), ('state', 'idea')), models.Q(('decided_at__isnull', False), ('initiative__isnull', True), ('state', 'declined'), models.Q(('reason', ''), _negated=True)), _connector='OR'), name='an_intake_request_names_what_it_became'),
                ),
                migrations.AddConstraint(
                    model_name='intakerequest',
                    constraint=models.CheckConstraint(condition=models.Q(('invitation', 'none'), ('state', 'idea'), _connector='OR'), name='only_senders_of_ideas_are_invited'),
                ),
                migrations.AddConstraint(
                    model_name='notsimilar',
                    constraint=models.UniqueConstraint(django.db.models.functions.comparison.Least('initiative', 'other'), django.db.models.functions.comparison.Greatest('initiative', 'other'), name='a_pair_is_not_similar_once'),
                ),
                migrations.AddConstraint(
                    model_name='notsimilar',
                    constraint=models.CheckConstraint(condition=models.Q(('initiative', models.F('other')), _negated=True), name='a_pair_is_of_two_cases'),
                ),
            ]
        ),
    ]
