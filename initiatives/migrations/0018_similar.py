import django.contrib.postgres.indexes
import django.contrib.postgres.search
from django.db import migrations

import governance.database.migration_operations


class Migration(migrations.Migration):

    dependencies = [
        ('initiatives', '0017_drills'),
    ]

    operations = [
        governance.database.migration_operations.Together(
            [
                migrations.AddIndex(
                    model_name='initiative',
                    index=django.contrib.postgres.indexes.GinIndex(
                        django.contrib.postgres.search.SearchVector('title', config='english'),
                        fastupdate=False,
                        name='cases_by_title',
                    ),
                ),
                migrations.AddIndex(
                    model_name='initiative',
                    index=django.contrib.postgres.indexes.GinIndex(
                        django.contrib.postgres.search.SearchVector('title', 'problem', config='english'),
                        fastupdate=False,
                        name='cases_by_matter',
                    ),
                ),
            ]
        ),
    ]
