"""Write the one migration of each app anew from the models: `make baseline`.

Until 1.0 is released, a change of the schema is a change of a model or of a `.sql` file, followed by this command.
It prints which definitions of a new database are gone, new or changed.
"""

import os
import re
import subprocess
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.conf import settings  # noqa: E402

from governance.storage import embedded_postgres  # noqa: E402
from tests.support.database.reset import url_of  # noqa: E402
from tests.support.plugin import make_template  # noqa: E402

APPS = ("governance", "initiatives", "adoption")
# Django's own first: once 300 models exist, each of its small migrations would render all of them again.
DJANGO_FIRST = """    dependencies = [
        ('contenttypes', '0002_remove_content_type_name'),
        ('auth', '0012_alter_user_first_name_max_length'),
    ]
"""
HEADING = re.compile(r"^--\n-- Name: (?P<name>.*); Type: (?P<kind>[A-Z ]+); Schema: .*\n--\n", re.MULTILINE)
END = "\n--\n-- PostgreSQL database dump complete"


def definitions() -> dict[str, str]:
    """What a new database defines, as PostgreSQL dumps it: the definition by its kind and name. The columns of a table
    are sorted. Empty when the migrations do not run."""
    template = make_template()
    if template is None:
        return {}
    dumped = subprocess.run(
        [embedded_postgres.programs() / "pg_dump", "--schema-only", "--no-owner", url_of(template)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.partition(END)[0]
    _, *parts = HEADING.split(dumped)
    return {
        f"{kind.lower()} {name}": "\n".join(sorted(line.rstrip(",") for line in text.strip().splitlines()))
        for name, kind, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    }


def with_sql(written: str) -> str:
    """A generated migration with its operations in one step, between the `.sql` files before it and the guards."""
    head, _, operations = (
        written.partition("\n")[2].lstrip().partition("    operations = [\n")
    )  # without its date
    head = head.replace(
        "\n\nclass Migration",
        "\nfrom governance.database.migration_operations import Together, sql_files\n\n\nclass Migration",
        1,
    )
    head = head.replace("    dependencies = [\n    ]\n", DJANGO_FIRST)
    return (
        f"{head}    operations = [\n        *sql_files(__file__, 'before'),\n        Together([\n"
        + operations.rstrip().removesuffix("]").rstrip()
        + "\n        ]),\n        *sql_files(__file__, 'guards'),\n    ]\n"
    )


def main() -> None:
    """Delete the migrations, make them anew, and print how the definitions of a new database changed."""
    settings.MEDIA_ROOT.mkdir(parents=True, exist_ok=True)
    if settings.EMBEDDED:
        settings.EMBEDDED_DATABASE.start()
    try:
        before = definitions()
        folders = [settings.BASE_DIR / app / "migrations" for app in APPS]
        for path in (path for folder in folders for path in folder.glob("0*.py")):
            path.unlink()
        subprocess.run(
            [sys.executable, "-W", "ignore::RuntimeWarning", "manage.py", "makemigrations", "-v", "0", *APPS],
            cwd=settings.BASE_DIR,
            check=True,
        )
        for folder in folders:
            initial = folder / "0001_initial.py"
            initial.write_text(with_sql(initial.read_text(encoding="utf-8")), encoding="utf-8")
        after = definitions()
    finally:
        if settings.EMBEDDED:
            settings.EMBEDDED_DATABASE.leave()
    if not after:
        raise SystemExit("The new migrations do not run: `manage.py migrate` shows why.")
    if not before:
        print("The migrations before did not run: there is nothing to compare with.")
    for name in sorted(before.keys() | after.keys()) if before else ():
        if before.get(name) != after.get(name):
            print(f"{'gone' if name not in after else 'new' if name not in before else 'changed'}: {name}")


if __name__ == "__main__":
    main()
