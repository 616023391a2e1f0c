"""What counts of two accounts of one human, and of somebody whose second factors a party had reset, by the database.

The functions of before are taken from the migrations that made them, with what these rules add.
"""

import importlib

from django.db import migrations

NEW_FUNCTIONS = """
-- The accounts that count as one human's: this one, and all that hang together with it by pairs nobody has cleared.
CREATE FUNCTION plumbline_accounts(person bigint) RETURNS SETOF bigint LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  WITH RECURSIVE reached(id) AS (
    SELECT person
    UNION
    SELECT CASE WHEN pair.one_id = reached.id THEN pair.other_id ELSE pair.one_id END
      FROM reached JOIN governance_sameperson pair ON reached.id IN (pair.one_id, pair.other_id)
     WHERE pair.cleared_at IS NULL)
  SELECT id FROM reached
$$;

-- Whether a party to the case had the second factors of a person reset, in the day before or not yet done.
CREATE FUNCTION plumbline_reset_by_party(case_id bigint, person bigint, moment timestamptz) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM governance_factorreset r
                  WHERE r.person_id = person AND r.stopped_at IS NULL AND r.asked_at <= moment
                    AND (r.done_at IS NULL OR r.done_at > moment - interval '24 hours')
                    AND plumbline_party(case_id, r.asked_by_id, moment))
$$;
"""
NO_FUNCTIONS = (
    "DROP FUNCTION plumbline_reset_by_party(bigint, bigint, timestamptz); "
    "DROP FUNCTION plumbline_accounts(bigint);"
)


def _function(module: str, constant: str, name: str, end: str) -> str:
    """The text of a function as a migration created it, to replace what stands."""
    text = getattr(importlib.import_module(f"initiatives.migrations.{module}"), constant)
    start = text.index(f"CREATE FUNCTION {name}(")
    return "CREATE OR REPLACE" + text[start + len("CREATE") : text.index(end, start) + len(end)]


def _with(text: str, *changes: tuple[str, str]) -> str:
    for before, after in changes:
        if text.count(before) != 1:
            raise ValueError(f"not once in the function: {before}")
        text = text.replace(before, after)
    return text


ACCOUNTS_OF = "IN (SELECT plumbline_accounts({}))"
OLD_PARTY = _function("0022_guards", "GUARDS", "plumbline_party", "\n$$;")
PARTY = _with(
    OLD_PARTY,
    *((f"{column} = person", f"{column} {ACCOUNTS_OF.format('person')}")
      for column in ("r.person_id", "d.delegate_id", "i.registered_by_id")),
)  # fmt: skip
NEW_PERSON = ACCOUNTS_OF.format("NEW.person_id")
OLD_SIGNER = _function("0002_guards", "GUARDS", "plumbline_guard_signoff", "END $$;")
SIGNER = _with(
    OLD_SIGNER,
    *((f"{column} = NEW.person_id\n{rest}", f"{column} {NEW_PERSON}\n{rest}")
      for column, rest in (
          ("person_id", "             AND accepted_at"),
          ("person_id", "               AND declined_at"),
          ("e.author_id", "               AND (e.id"),
      )),
)  # fmt: skip
OLD_VOTE = _function("0022_guards", "GUARDS", "plumbline_guard_vote", "END $$;")
VOTE = _with(
    OLD_VOTE,
    ("about.registered_by_id = NEW.person_id", f"about.registered_by_id {NEW_PERSON}"),
    ("author_id = NEW.person_id\n", f"author_id {NEW_PERSON}\n"),
    (
        "  IF NEW.seat = 'business_value' AND EXISTS (",
        """\
  IF EXISTS (SELECT FROM initiatives_signoff s
              WHERE s.review_id = NEW.review_id AND s.person_id <> NEW.person_id
                AND s.person_id IN (SELECT plumbline_accounts(NEW.person_id))
                AND s.verdict IN ('approve', 'approve_with_condition')
                AND NOT EXISTS (SELECT FROM initiatives_signoff later WHERE later.replaces_id = s.id)) THEN
    RAISE EXCEPTION 'Plumbline: two accounts that may be one person''s approve a review once.' USING ERRCODE = 'PL014';
  END IF;
  IF plumbline_reset_by_party(about.id, NEW.person_id, NEW.at) THEN
    RAISE EXCEPTION 'Plumbline: a party to this case had the second factors of the signer reset lately.'
      USING ERRCODE = 'PL014';
  END IF;
  IF NEW.seat = 'business_value' AND EXISTS (""",
    ),
)
OLD_DECISION = _function("0022_guards", "GUARDS", "plumbline_guard_decision", "END $$;")
DECISION = _with(
    OLD_DECISION,
    (
        "count(DISTINCT s.person_id) INTO",
        "count(DISTINCT (SELECT min(account) FROM plumbline_accounts(s.person_id) account)) INTO",
    ),
    (
        "  IF rule.id IS NULL THEN",
        """\
  IF plumbline_reset_by_party(about.id, NEW.ended_by_id, NEW.ended_at) THEN
    RAISE EXCEPTION 'Plumbline: a party to this case had the second factors of whoever decides reset lately.'
      USING ERRCODE = 'PL013';
  END IF;
  IF rule.id IS NULL THEN""",
    ),
)
OLD_ACCEPTANCE = _function("0039_accepted_by_two", "GUARD", "plumbline_guard_acceptance", "END $$;")
ACCEPTANCE = _with(
    OLD_ACCEPTANCE,
    (
        "  IF NOT EXISTS (SELECT 1 FROM governance_membership",
        """\
  IF TG_ARGV[0] = 'second' AND (told ->> 'accepted_by_id')::bigint IN (SELECT plumbline_accounts(who)) THEN
    RAISE EXCEPTION 'Plumbline: two accounts that may be one person''s accept this once.' USING ERRCODE = 'PL033';
  END IF;
  IF NOT EXISTS (SELECT 1 FROM governance_membership""",
    ),
)
CHANGED = (
    (PARTY, OLD_PARTY),
    (SIGNER, OLD_SIGNER),
    (VOTE, OLD_VOTE),
    (DECISION, OLD_DECISION),
    (ACCEPTANCE, OLD_ACCEPTANCE),
)


class Migration(migrations.Migration):
    dependencies = [("initiatives", "0047_interaction_figures"), ("governance", "0034_directory_provider")]

    operations = [
        migrations.RunSQL(NEW_FUNCTIONS, NO_FUNCTIONS),
        *(migrations.RunSQL(after, before) for after, before in CHANGED),
    ]
