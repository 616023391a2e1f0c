"""Whom the systems of a prototype may act for, as its scope declares it."""

from django.db import migrations, models

import governance.database.migration_operations


class Migration(migrations.Migration):

    dependencies = [
        ('initiatives', '0029_approval_preview'),
    ]

    operations = [
        governance.database.migration_operations.Together(
            [
                migrations.AddField(
                    model_name='historicalscopeversion',
                    name='test_subjects',
                    field=models.JSONField(blank=True, default=list),
                ),
                migrations.AddField(
                    model_name='scopeversion',
                    name='test_subjects',
                    field=models.JSONField(blank=True, default=list),
                ),
            ]
        ),
    ]
