"""What senders call their acts, and whether they say what went in and out, beside each interaction; batches by xact."""

from django.db import migrations, models

import governance.database.migration_operations

COLUMNS = """
ALTER TABLE governance_interaction
  ADD COLUMN action varchar(100) NOT NULL DEFAULT '',
  ADD COLUMN has_input boolean NOT NULL DEFAULT false,
  ADD COLUMN has_output boolean NOT NULL DEFAULT false;
"""
NO_COLUMNS = """
ALTER TABLE governance_interaction DROP COLUMN action, DROP COLUMN has_input, DROP COLUMN has_output;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('governance', '0026_interaction_keeping'),
    ]

    operations = [
        migrations.RunSQL(
            COLUMNS,
            NO_COLUMNS,
            state_operations=[
                migrations.AddField('Interaction', 'action', models.CharField(blank=True, default='', max_length=100)),
                migrations.AddField('Interaction', 'has_input', models.BooleanField(default=False)),
                migrations.AddField('Interaction', 'has_output', models.BooleanField(default=False)),
            ],
        ),
        governance.database.migration_operations.Together(
            [
                migrations.AddIndex('interactionbatch', models.Index(fields=['xact'], name='interaction_batches_by_xact')),
                migrations.AddIndex('decisionbatch', models.Index(fields=['xact'], name='decision_batches_by_xact')),
            ]
        ),
    ]
