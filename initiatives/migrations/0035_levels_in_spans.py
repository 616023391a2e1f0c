"""How strongly the answers of a case stand, beside what they support."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('initiatives', '0034_standalone_guard'),
    ]

    operations = [
        migrations.AddField(
            model_name='span',
            name='profile',
            field=models.JSONField(null=True),
        ),
    ]
