"""An excuse of a debt names the case for whose next decision it is given."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import governance.database.row_history

# A new row excuses a debt that is still owed, for a case with a decision to come, by somebody who does not owe it.
GUARDS = """
CREATE FUNCTION plumbline_guard_excuse() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF TG_RELID <> 'public.initiatives_excuse'::regclass THEN
    RAISE EXCEPTION 'Plumbline: this function guards excuses alone.' USING ERRCODE = 'PL090';
  END IF;
  IF NOT EXISTS (SELECT 1 FROM public.initiatives_obligation o
                  WHERE o.id = NEW.obligation_id AND o.settled_at IS NULL
                    AND o.debtor_id IS DISTINCT FROM NEW.by_id) THEN
    RAISE EXCEPTION 'Plumbline: what is excused is still owed, and by somebody else.' USING ERRCODE = 'PL090';
  END IF;
  IF NOT EXISTS (SELECT 1 FROM public.initiatives_review r
                  WHERE r.initiative_id = NEW.initiative_id AND r.outcome = 'open'
                    AND r.gate IN ('mvp', 'production')) THEN
    RAISE EXCEPTION 'Plumbline: an excuse is for a decision that is to come.'
      USING ERRCODE = 'PL090', HINT = 'Open the review of the case first.';
  END IF;
  RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION plumbline_guard_excuse() FROM PUBLIC;
CREATE TRIGGER excuse_is_for_a_decision BEFORE INSERT ON initiatives_excuse
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_excuse();
"""
NO_GUARDS = """
DROP TRIGGER excuse_is_for_a_decision ON initiatives_excuse;
DROP FUNCTION plumbline_guard_excuse();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("initiatives", "0023_votes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Excuse",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "xact",
                    models.BigIntegerField(db_default=governance.database.row_history.TransactionId(), editable=False),
                ),
                ("reason", models.TextField()),
                ("at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "initiative",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="excuses",
                        to="initiatives.initiative",
                    ),
                ),
                (
                    "obligation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="excuses",
                        to="initiatives.obligation",
                    ),
                ),
            ],
            options={
                "ordering": ["initiative", "id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("obligation", "initiative"), name="one_excuse_per_debt_and_case"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="an_excuse_has_its_reason"
                    ),
                ],
            },
        ),
        migrations.RunSQL(GUARDS, NO_GUARDS),
    ]
