"""Debts of a new kind: the word of a system's owner that the feed to a case that ended is shut."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("initiatives", "0022_guards"),
    ]

    operations = [
        migrations.AlterField(
            model_name='historicalobligation',
            name='kind',
            field=models.CharField(choices=[('post_mortem', 'Post-mortem'), ('retrospective', 'Retrospective after go-live'), ('criterion', 'Item of the gate that was left to do after the move'), ('step_back', 'Bring support back, or step back'), ('vacancy', 'Find an owner, or step back'), ('service_account', 'Close a service account that nothing uses any more'), ('reading', 'Read a measure that has been silent for too long'), ('feed', 'Confirm that a feed is shut')], max_length=20),
        ),
        migrations.AlterField(
            model_name='obligation',
            name='kind',
            field=models.CharField(choices=[('post_mortem', 'Post-mortem'), ('retrospective', 'Retrospective after go-live'), ('criterion', 'Item of the gate that was left to do after the move'), ('step_back', 'Bring support back, or step back'), ('vacancy', 'Find an owner, or step back'), ('service_account', 'Close a service account that nothing uses any more'), ('reading', 'Read a measure that has been silent for too long'), ('feed', 'Confirm that a feed is shut')], max_length=20),
        ),
    ]
