"""From when a rulebook decides for a case; what was published before took effect at once."""

from django.db import migrations, models

import governance.database.migration_operations


class Migration(migrations.Migration):

    dependencies = [
        ('governance', '0020_outcomes'),
    ]

    operations = [
        governance.database.migration_operations.Together(
            [
                migrations.AddField(
                    model_name='historicalrulebook',
                    name='effective_on',
                    field=models.DateField(blank=True, null=True),
                ),
                migrations.AddField(
                    model_name='historicalrulebook',
                    name='takes_effect',
                    field=models.CharField(choices=[('case_by_case', 'Case by case'), ('at_once', 'At once'), ('on_a_day', 'On a day')], db_default='at_once', default='at_once', max_length=20),
                ),
                migrations.AddField(
                    model_name='rulebook',
                    name='effective_on',
                    field=models.DateField(blank=True, null=True),
                ),
                migrations.AddField(
                    model_name='rulebook',
                    name='takes_effect',
                    field=models.CharField(choices=[('case_by_case', 'Case by case'), ('at_once', 'At once'), ('on_a_day', 'On a day')], db_default='at_once', default='at_once', max_length=20),
                ),
                migrations.AddConstraint(
                    model_name='rulebook',
                    constraint=models.CheckConstraint(condition=models.Q(models.Q(('effective_on__isnull', False), ('takes_effect', 'on_a_day')), models.Q(models.Q(('takes_effect', 'on_a_day'), _negated=True), ('effective_on__isnull', True)), _connector='OR'), name='effective_day_where_on_a_day'),
                ),
            ]
        ),
    ]
