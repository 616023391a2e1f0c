"""A partition is made in the schema of ours whatever the search path, which now begins with the server's own."""

from django.db import migrations

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


class Migration(migrations.Migration):
    dependencies = [("governance", "0014_decisions_by_key")]

    operations = [migrations.RunSQL(DECISIONS, migrations.RunSQL.noop)]
