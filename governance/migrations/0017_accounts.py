"""Seats and passwords cool off: what a new one does not sign yet, and what the database holds of it."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import governance.database.migration_operations

SEATS = """
-- The moment by which a rule about waiting judges: what the act says, where its login may set the clock (demonstrations
-- and tests replay months); the database's own clock otherwise.
CREATE FUNCTION plumbline_rule_time(said timestamptz) RETURNS timestamptz LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'plumbline_clock')
     AND pg_has_role(session_user, 'plumbline_clock', 'member') THEN
    RETURN said;
  END IF;
  RETURN plumbline_now();
END $$;

-- A seat begins when it is granted, not before; it signs what lets a case rise after its first day, or once somebody
-- else confirmed it. Seats granted before the first review was ever opened set an installation up, and wait for nothing.
CREATE FUNCTION plumbline_guard_seat() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  moment timestamptz := plumbline_rule_time((plumbline_act(TG_TABLE_NAME)->>'at')::timestamptz);
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.starts_at < moment - interval '10 minutes' THEN
      RAISE EXCEPTION 'Plumbline: no seat begins before it is granted.'
        USING ERRCODE = 'PL043', HINT = 'Let it begin now, or on a day to come.';
    END IF;
    IF NEW.confirmed_at IS NOT NULL THEN
      RAISE EXCEPTION 'Plumbline: a seat is confirmed after it was granted, by somebody else.'
        USING ERRCODE = 'PL043';
    END IF;
    IF NEW.signs_from IS NULL OR NEW.signs_from < NEW.starts_at OR (NEW.signs_from < NEW.starts_at + interval '1 day'
        AND EXISTS (SELECT 1 FROM governance_entry WHERE kind = 'review opened')) THEN
      RAISE EXCEPTION 'Plumbline: a new seat signs what lets a case rise after its first day.'
        USING ERRCODE = 'PL043';
    END IF;
    RETURN NEW;
  END IF;
  IF (NEW.board_id, NEW.person_id, NEW.seat, NEW.starts_at, NEW.granted_by_id, NEW.delegate_of_id, NEW.signs_from)
     IS DISTINCT FROM
     (OLD.board_id, OLD.person_id, OLD.seat, OLD.starts_at, OLD.granted_by_id, OLD.delegate_of_id, OLD.signs_from) THEN
    RAISE EXCEPTION 'Plumbline: a seat stays as it was granted.'
      USING ERRCODE = 'PL043', HINT = 'End it, and grant another.';
  END IF;
  IF (NEW.confirmed_by_id, NEW.confirmed_at) IS DISTINCT FROM (OLD.confirmed_by_id, OLD.confirmed_at) AND (
       OLD.confirmed_at IS NOT NULL OR NEW.confirmed_by_id IS NULL
       OR NEW.confirmed_by_id = NEW.person_id OR NEW.confirmed_by_id IS NOT DISTINCT FROM NEW.granted_by_id
       OR NOT EXISTS (
         SELECT 1 FROM governance_user u WHERE u.id = NEW.confirmed_by_id AND u.is_active
            AND coalesce(u.signs_from, moment) <= moment + interval '1 minute'
            AND (u.is_admin OR EXISTS (
              SELECT 1 FROM governance_membership m
               WHERE m.board_id = NEW.board_id AND m.person_id = u.id AND m.seat IN ('chair', 'deputy_chair')
                 AND m.starts_at <= moment + interval '1 minute' AND (m.ends_at IS NULL OR m.ends_at > moment)
                 AND m.granted_by_id IS DISTINCT FROM m.person_id
                 AND (m.confirmed_at IS NOT NULL OR coalesce(m.signs_from, moment) <= moment + interval '1 minute')))
       )) THEN
    RAISE EXCEPTION 'Plumbline: a seat is confirmed once, by the chair of its board or an admin who did not grant it.'
      USING ERRCODE = 'PL043';
  END IF;
  RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION plumbline_guard_seat() FROM PUBLIC;
CREATE TRIGGER seat_is_granted_now BEFORE INSERT OR UPDATE ON governance_membership
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_seat();

-- What was reset by somebody else is not said to be signed with earlier than it was.
CREATE FUNCTION plumbline_guard_reset() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF OLD.signs_from IS NOT NULL AND (NEW.signs_from IS NULL OR NEW.signs_from < OLD.signs_from) THEN
    RAISE EXCEPTION 'Plumbline: the day after a password was reset by somebody else is not made shorter.'
      USING ERRCODE = 'PL044';
  END IF;
  RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION plumbline_guard_reset() FROM PUBLIC;
CREATE TRIGGER reset_waits BEFORE UPDATE ON governance_user
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_reset();

-- Raises where the person signs nothing yet that lets a case of this unit rise: after a password that somebody else
-- reset, and in the first day of all the seats by which it would be signed. Whether a seat is held is asked elsewhere.
CREATE FUNCTION plumbline_cooled_off(who bigint, seats text[], unit bigint, said timestamptz) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  moment timestamptz := least(said, plumbline_rule_time(said)) + interval '1 minute';
  since timestamptz;
  counts boolean;
BEGIN
  SELECT u.signs_from INTO since FROM governance_user u WHERE u.id = who;
  IF since > moment THEN
    RAISE EXCEPTION 'Plumbline: the password was reset by somebody else; what lets a case rise is signed from %.', since
      USING ERRCODE = 'PL044';
  END IF;
  SELECT bool_or(m.confirmed_at IS NOT NULL OR coalesce(m.signs_from, moment) <= moment), min(m.signs_from)
    INTO counts, since
    FROM governance_membership m
   WHERE m.person_id = who AND m.seat = ANY (seats)
     AND m.starts_at <= said AND (m.ends_at IS NULL OR m.ends_at > said)
     AND m.board_id = (
       SELECT b.id FROM governance_board b JOIN governance_unit above ON above.id = b.unit_id
         JOIN governance_unit own ON starts_with(own.path, above.path)
        WHERE own.id = unit ORDER BY length(above.path) DESC LIMIT 1);
  IF NOT counts THEN
    RAISE EXCEPTION 'Plumbline: the seat is in its first day; what lets a case rise is signed from %.', since
      USING ERRCODE = 'PL043', HINT = 'The chair or a second admin can confirm the seat.';
  END IF;
END $$;
"""
NO_SEATS = """
DROP FUNCTION plumbline_cooled_off(bigint, text[], bigint, timestamptz);
DROP FUNCTION plumbline_guard_reset() CASCADE;
DROP FUNCTION plumbline_guard_seat() CASCADE;
DROP FUNCTION plumbline_rule_time(timestamptz);
"""


class Migration(migrations.Migration):

    dependencies = [
        ("governance", "0016_judged"),
    ]

    operations = [
        governance.database.migration_operations.Together([
        migrations.AddField(
            model_name='historicalmembership',
            name='confirmed_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='historicalmembership',
            name='confirmed_by',
            field=models.ForeignKey(blank=True, db_constraint=False, editable=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='historicalmembership',
            name='signs_from',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='historicaluser',
            name='address_changed_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='historicaluser',
            name='signs_from',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='membership',
            name='confirmed_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='membership',
            name='confirmed_by',
            field=models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='membership',
            name='signs_from',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='signinattempt',
            name='purpose',
            field=models.CharField(default='sign in', max_length=20),
        ),
        migrations.AddField(
            model_name='user',
            name='address_changed_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='user',
            name='signs_from',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddConstraint(
            model_name='membership',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('confirmed_at__isnull', True), ('confirmed_by__isnull', True)), models.Q(('confirmed_at__isnull', False), ('confirmed_by__isnull', False)), _connector='OR'), name='membership_is_confirmed_by_somebody_at_a_moment'),
        ),
        ]),
        migrations.AlterField(
            model_name="delivery",
            name="kind",
            field=models.CharField(
                choices=[
                    ("day", "The day's mail"),
                    ("digest", "Weekly digest"),
                    ("approvals", "Approvals asked for"),
                    ("account", "About the account"),
                ],
                default="day",
                max_length=20,
            ),
        ),
        migrations.RunSQL(SEATS, NO_SEATS),
    ]
