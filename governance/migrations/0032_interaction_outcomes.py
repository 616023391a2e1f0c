"""How long an interaction took, whether it failed, and whether it names its sources, beside each row."""

from django.db import migrations, models

# Without a default: of rows that are there already nobody knows it, and no page of them is rewritten.
COLUMNS = """
ALTER TABLE governance_interaction
  ADD COLUMN has_source boolean,
  ADD COLUMN failed boolean,
  ADD COLUMN milliseconds integer;
"""
NO_COLUMNS = """
ALTER TABLE governance_interaction DROP COLUMN has_source, DROP COLUMN failed, DROP COLUMN milliseconds;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('governance', '0031_identity_guards'),
    ]

    operations = [
        migrations.RunSQL(
            COLUMNS,
            NO_COLUMNS,
            state_operations=[
                migrations.AddField('Interaction', 'has_source', models.BooleanField(null=True)),
                migrations.AddField('Interaction', 'failed', models.BooleanField(null=True)),
                migrations.AddField('Interaction', 'milliseconds', models.PositiveIntegerField(null=True)),
            ],
        ),
    ]
