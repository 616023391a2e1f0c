"""A contract version does not come into force while a seat objects to the contract."""

import importlib

from django.db import migrations

_before = importlib.import_module("initiatives.migrations.0022_guards").GUARDS
_start = _before.index("CREATE FUNCTION plumbline_guard_in_force()")
OLD = "CREATE OR REPLACE" + _before[_start : _before.index("END $$;", _start) + 7].removeprefix("CREATE")
NEW = OLD.replace(
    "  RETURN NULL;\nEND $$;",
    """\
  IF EXISTS (SELECT FROM governance_clausecomment c
              WHERE c.contract_id = NEW.contract_id AND c.seat <> '' AND c.settled_at IS NULL) THEN
    RAISE EXCEPTION 'Plumbline: a contract version does not come into force while a seat objects to the contract.'
      USING ERRCODE = 'PL003';
  END IF;
  RETURN NULL;
END $$;""",
)


class Migration(migrations.Migration):
    dependencies = [("initiatives", "0040_labels"), ("governance", "0024_contract_objections")]

    operations = [migrations.RunSQL(NEW, OLD)]
