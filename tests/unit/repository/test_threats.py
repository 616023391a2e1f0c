"""docs/threats.md names tests; each of them is there."""

import re

from django.conf import settings

TABLE = settings.BASE_DIR / "docs" / "threats.md"
CITED = re.compile(r"`(tests/[\w/]+\.py)(?:::(test_\w+))?`")


def test_every_test_that_the_table_names_is_there():
    cited = CITED.findall(TABLE.read_text(encoding="utf-8"))
    missing = [
        (file, name)
        for file, name in cited
        if not (settings.BASE_DIR / file).is_file()
        or (name and f"def {name}(" not in (settings.BASE_DIR / file).read_text(encoding="utf-8"))
    ]
    assert len(cited) > 50
    assert not missing
