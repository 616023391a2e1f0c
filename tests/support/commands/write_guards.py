"""Write `governance/transparency_log/guards_expected.txt` anew, from a database that was just migrated: `make guards`.

To be run after every change of a migration or a model; a test compares the file with a database of the run.
"""

import os

import django
import psycopg

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.conf import settings  # noqa: E402

from governance.database import database_catalogue  # noqa: E402
from governance.transparency_log import database_guards  # noqa: E402
from tests.support.database.reset import url_of  # noqa: E402
from tests.support.plugin import make_template  # noqa: E402


def main() -> None:
    """Make the template of the tests, or find it, and write down what stands in it."""
    settings.MEDIA_ROOT.mkdir(parents=True, exist_ok=True)
    if settings.EMBEDDED:
        settings.EMBEDDED_DATABASE.start()
    try:
        template = make_template()
        if template is None:
            raise SystemExit("The migrations do not run: `manage.py migrate` shows why.")
        with psycopg.connect(url_of(template)) as inside, inside.cursor() as cursor:
            database_guards.EXPECTED.write_text(
                database_guards.written(database_catalogue.what_stands(cursor))
            )
    finally:
        if settings.EMBEDDED:
            settings.EMBEDDED_DATABASE.leave()
    print(f"{database_guards.EXPECTED.name}: {len(database_guards.expected())} lines")


if __name__ == "__main__":
    main()
