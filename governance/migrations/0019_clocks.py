"""A sign of life says by how much the clock of its machine is off."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("governance", "0018_data_folder")]

    operations = [
        migrations.AddField(
            model_name="pulse",
            name="clock_off",
            field=models.IntegerField(db_default=0, default=0),
        ),
        migrations.AlterField(
            model_name="pulse",
            name="kind",
            field=models.CharField(
                choices=[("scheduler", "scheduler"), ("worker", "worker"), ("web", "web")], max_length=10
            ),
        ),
    ]
