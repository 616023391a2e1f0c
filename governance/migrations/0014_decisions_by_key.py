"""When a key was last used, and what it was told, without looking through the log of its case."""

from django.db import migrations

FORWARD = "CREATE INDEX decisions_by_key ON governance_policydecision (key_id, at DESC, id DESC)"


class Migration(migrations.Migration):
    dependencies = [("governance", "0013_approval_mails")]

    operations = [migrations.RunSQL(FORWARD, "DROP INDEX decisions_by_key")]
