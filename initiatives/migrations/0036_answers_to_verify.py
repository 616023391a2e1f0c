"""Which answers of a case wait to be verified, and by which seats."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('initiatives', '0035_levels_in_spans'),
    ]

    operations = [
        migrations.AddField(
            model_name='span',
            name='to_verify',
            field=models.JSONField(null=True),
        ),
    ]
