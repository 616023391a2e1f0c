"""Labels of choices in the words that pages use; no column changes."""

from django.db import migrations, models

import governance.database.migration_operations


class Migration(migrations.Migration):
    dependencies = [
        ("adoption", "0013_record_exports"),
    ]

    operations = [
        governance.database.migration_operations.Together(
            [
                migrations.AlterField(
                    model_name="attribution",
                    name="said",
                    field=models.CharField(
                        choices=[("blamed", "Assumed cause at first"), ("found", "Found")], max_length=10
                    ),
                ),
                migrations.AlterField(
                    model_name="historicalattribution",
                    name="said",
                    field=models.CharField(
                        choices=[("blamed", "Assumed cause at first"), ("found", "Found")], max_length=10
                    ),
                ),
                migrations.AlterField(
                    model_name="historicalproblemreport",
                    name="state",
                    field=models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("signal", "Became a behaviour report"),
                            ("incident", "Became an incident"),
                            ("answered", "Answered"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                migrations.AlterField(
                    model_name="problemreport",
                    name="state",
                    field=models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("signal", "Became a behaviour report"),
                            ("incident", "Became an incident"),
                            ("answered", "Answered"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
            ]
        ),
    ]
