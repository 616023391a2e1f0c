"""No case comes to a unit that was merged into another."""

from django.db import migrations

GUARDS = """
CREATE TRIGGER unit_in_being BEFORE INSERT OR UPDATE ON initiatives_initiative
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_unit();
"""
NO_GUARDS = "DROP TRIGGER unit_in_being ON initiatives_initiative;"


class Migration(migrations.Migration):
    dependencies = [("initiatives", "0002_guards"), ("governance", "0005_organisation")]

    operations = [migrations.RunSQL(GUARDS, NO_GUARDS)]
