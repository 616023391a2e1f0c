"""Labels of choices in the words that pages use; no column changes."""

from django.db import migrations, models

import governance.database.migration_operations


class Migration(migrations.Migration):

    dependencies = [
        ('governance', '0022_snoozed_lines'),
    ]

    operations = [
        governance.database.migration_operations.Together(
            [
                migrations.AlterField(
                    model_name='clause',
                    name='kind',
                    field=models.CharField(choices=[('autonomy', 'Autonomous'), ('human_approval', 'Human approval required'), ('edge_policy', 'Exceptions'), ('record_owner', 'Who owns the change log and the audit trail'), ('audience', 'For whom'), ('retention', 'How long records are kept'), ('residency', 'Data residency')], max_length=20),
                ),
                migrations.AlterField(
                    model_name='historicalclause',
                    name='kind',
                    field=models.CharField(choices=[('autonomy', 'Autonomous'), ('human_approval', 'Human approval required'), ('edge_policy', 'Exceptions'), ('record_owner', 'Who owns the change log and the audit trail'), ('audience', 'For whom'), ('retention', 'How long records are kept'), ('residency', 'Data residency')], max_length=20),
                ),
            ]
        ),
    ]
