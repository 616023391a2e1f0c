"""What signatures a rulebook asks for, as rows for the guards; who publishes; which board decides, and who sits on it."""

import django.db.models.deletion
from django.db import migrations, models

import governance.database.row_history

# A partition is made in our schema whatever the search path, which now begins with the server's own.
DECISIONS = """
CREATE OR REPLACE FUNCTION plumbline_decisions_of(moment timestamptz) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  month date := date_trunc('month', moment)::date;
  place text := 'governance_policydecision_' || to_char(month, 'YYYY_MM');
BEGIN
  IF to_regclass('public.' || place) IS NULL THEN
    PERFORM pg_advisory_xact_lock(hashtext('plumbline decisions'));
    IF to_regclass('public.' || place) IS NULL THEN
      EXECUTE format('CREATE TABLE public.%I PARTITION OF public.governance_policydecision FOR VALUES FROM (%L) TO (%L)',
                     place, month::timestamptz, (month + interval '1 month')::timestamptz);
      PERFORM plumbline_never_emptied(place);
    END IF;
  END IF;
END $$;
"""

SEATS = """
-- The board that decides what belongs to a unit: the nearest up the tree, the unit's own first.
CREATE FUNCTION plumbline_board_of(unit bigint) RETURNS bigint LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT b.id FROM governance_unit u
    JOIN governance_unit above ON starts_with(u.path, above.path)
    JOIN governance_board b ON b.unit_id = above.id
   WHERE u.id = unit ORDER BY length(above.path) DESC LIMIT 1
$$;

-- Whether a person holds a seat of a board at a moment, as its holder or as delegate; nobody seats themselves.
CREATE FUNCTION plumbline_sits(board bigint, person bigint, place text, moment timestamptz) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT EXISTS (
    SELECT FROM governance_membership m JOIN governance_user u ON u.id = m.person_id
     WHERE m.board_id = board AND m.person_id = person AND m.seat = place AND u.is_active
       AND m.granted_by_id IS DISTINCT FROM m.person_id
       AND m.starts_at <= moment AND (m.ends_at IS NULL OR m.ends_at > moment))
$$;

CREATE FUNCTION plumbline_away(person bigint, moment timestamptz) RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM governance_absence a
                  WHERE a.person_id = person AND a.starts_at <= moment AND a.ends_at > moment)
$$;

-- The rulebook in force: the one published last.
CREATE FUNCTION plumbline_rulebook() RETURNS bigint LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT id FROM governance_rulebook WHERE published_at IS NOT NULL ORDER BY published_at DESC, id DESC LIMIT 1
$$;

CREATE FUNCTION plumbline_guard_publishing() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    RAISE EXCEPTION 'Plumbline: a rulebook is loaded as a draft, and published afterwards.' USING ERRCODE = 'PL002';
  END IF;
  IF NEW.digest <> encode(sha256(convert_to(NEW.source, 'UTF8')), 'hex') THEN
    RAISE EXCEPTION 'Plumbline: the text of rulebook % is not the one that was loaded.', NEW.version
      USING ERRCODE = 'PL002';
  END IF;
  IF NOT EXISTS (SELECT FROM governance_user WHERE id = NEW.admin_id AND is_active AND is_admin)
     OR NOT EXISTS (SELECT FROM governance_board b WHERE plumbline_sits(b.id, NEW.chair_id, 'chair', NEW.published_at))
  THEN
    RAISE EXCEPTION 'Plumbline: a rulebook is published by the chair of a board, after an admin proposed it.'
      USING ERRCODE = 'PL002';
  END IF;
  RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION plumbline_guard_publishing() FROM PUBLIC;
CREATE TRIGGER published_by_two AFTER INSERT ON governance_rulebook
  FOR EACH ROW WHEN (NEW.published_at IS NOT NULL) EXECUTE FUNCTION plumbline_guard_publishing();
CREATE TRIGGER published_by_two_afterwards AFTER UPDATE ON governance_rulebook
  FOR EACH ROW WHEN (OLD.published_at IS NULL AND NEW.published_at IS NOT NULL)
  EXECUTE FUNCTION plumbline_guard_publishing();

-- What signatures are asked for is written while a rulebook is published, and for older ones by who migrates.
CREATE FUNCTION plumbline_guard_signing_rule() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (
       SELECT FROM governance_rulebook r WHERE r.id = NEW.rulebook_id AND r.published_at IS NOT NULL
          AND (EXISTS (SELECT FROM governance_historicalrulebook h
                        WHERE h.id = r.id AND h.published_at IS NOT NULL AND h.history_xact = plumbline_xact())
               OR pg_has_role(session_user, (SELECT relowner FROM pg_class
                                              WHERE oid = 'public.governance_rulebook'::regclass), 'MEMBER')))
  THEN
    RAISE EXCEPTION 'Plumbline: what signatures a rulebook asks for is written when it is published.'
      USING ERRCODE = 'PL002', HINT = 'Publish a rulebook with other rules.';
  END IF;
  RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION plumbline_guard_signing_rule() FROM PUBLIC;
CREATE TRIGGER written_when_published AFTER INSERT ON governance_signingrule
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_signing_rule();
"""
NO_SEATS = """
DROP TRIGGER published_by_two ON governance_rulebook;
DROP TRIGGER published_by_two_afterwards ON governance_rulebook;
DROP FUNCTION plumbline_guard_signing_rule() CASCADE;
DROP FUNCTION plumbline_guard_publishing();
DROP FUNCTION plumbline_rulebook();
DROP FUNCTION plumbline_away(bigint, timestamptz);
DROP FUNCTION plumbline_sits(bigint, bigint, text, timestamptz);
DROP FUNCTION plumbline_board_of(bigint);
"""


class Migration(migrations.Migration):
    dependencies = [("governance", "0014_decisions_by_key")]

    operations = [
        migrations.CreateModel(
            name="SigningRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("xact", models.BigIntegerField(db_default=governance.database.row_history.TransactionId(), editable=False)),
                ("about", models.CharField(max_length=40)),
                ("tier", models.CharField(blank=True, default="", max_length=10)),
                ("seats", models.JSONField()),
                ("must_include", models.JSONField()),
                ("quorum", models.PositiveIntegerField()),
                ("max_age_days", models.PositiveIntegerField(null=True)),
                ("blocking", models.JSONField()),
                ("decided_by", models.CharField(blank=True, default="", max_length=40)),
                (
                    "rulebook",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="signing_rules",
                        to="governance.rulebook",
                    ),
                ),
            ],
            options={
                "ordering": ["rulebook", "about", "tier"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("rulebook", "about", "tier"), name="one_signing_rule_per_gate_and_tier"
                    )
                ],
            },
        ),
        migrations.RunSQL(DECISIONS, migrations.RunSQL.noop),
        migrations.RunSQL(SEATS, NO_SEATS),
    ]
