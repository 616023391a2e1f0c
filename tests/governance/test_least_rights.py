"""What README.md says each command needs of the database: tried as the application, which owns no table."""

import os
import subprocess
import sys

import pytest
from django.conf import settings

from governance import seals
from tests import factories

AS_OWNER = {
    "seal": [],
    "verify_ledger": [],
    "export_record": ["--all", "--to", "{folder}/export.zip"],
    "erase_person": ["owner", "--why", "x", "--duty", "y", "--by", "admin", "--deactivate"],
    "migrate": ["governance", "0001"],
    "database_roles": ["--apply"],
}
AS_APPLICATION = {
    "backup": ["{folder}/backup"],
    "retention": ["--json"],
    "subject_access": ["owner", "{folder}/owner.zip", "--by", "admin"],
    "password_link": ["owner"],
    "remind": ["--json"],
    "bring_decisions": [],
    "load_rulebook": [],
}


@pytest.mark.django_db(transaction=True)
def test_commands_need_what_the_readme_says(application_url, cast, tmp_path):
    factories.make_case(cast)
    seals.seal()
    found = {}
    for name, arguments in (AS_OWNER | AS_APPLICATION).items():
        done = subprocess.run(
            [sys.executable, "manage.py", name, *(one.format(folder=tmp_path) for one in arguments)],
            cwd=settings.BASE_DIR,
            env=dict(os.environ)
            | {"DATABASE_URL": application_url, "DJANGO_SETTINGS_MODULE": "tests.settings"},
            capture_output=True,
            text=True,
        )
        said = done.stdout + done.stderr
        found[name] = (
            done.returncode,
            any(word in said for word in ("permission denied", "must be owner")),
            said[-400:],
        )
    assert {name for name, (_, denied, _) in found.items() if denied} == set(AS_OWNER), found
    assert {name for name, (code, *_) in found.items() if code == 0} == set(AS_APPLICATION), found
