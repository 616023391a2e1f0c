"""The rights that docs/operate/install.md lists for each command: tried as the application, which owns no table."""

import re
from io import StringIO
from urllib.parse import unquote, urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection

from governance.transparency_log import sealing
from tests.support import factories
from tests.support.paths import ROOT

AS_OWNER = {
    "seal": [],
    "export_audit_log": ["--all", "--to", "{folder}/export.zip"],
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
    "adopt_folder": ["--although-files-are-missing"],
}


@pytest.fixture
def as_application(application_url, cast):
    """The default connection is the application's."""
    factories.make_initiative(cast)
    sealing.seal()
    login, known = urlsplit(application_url), connection.settings_dict
    owner = {name: known[name] for name in ("USER", "PASSWORD")}
    connection.close()
    known |= {"USER": login.username, "PASSWORD": unquote(login.password)}
    yield
    connection.close()
    known |= owner


@pytest.mark.django_db(transaction=True)
def test_commands_need_what_the_readme_says(as_application, tmp_path, settings):
    told = {}
    for name, arguments in (AS_OWNER | AS_APPLICATION).items():
        if name == "adopt_folder":
            settings.MEDIA_ROOT = tmp_path / "another"  # the one of before needs no adopting
        try:
            call_command(
                name,
                *(one.format(folder=tmp_path) for one in arguments),
                stdout=StringIO(),
                stderr=StringIO(),
            )
            told[name] = ""
        except (CommandError, DatabaseError, SystemExit) as trouble:
            told[name] = str(trouble)
            connection.close()
    assert {name for name, words in told.items() if words} == set(AS_OWNER), told
    for name in AS_OWNER:
        assert (
            "permission denied" in told[name] or "must be owner" in told[name] or "owner of" in told[name]
        ), told


def test_each_stands_in_the_readme_under_that_login():
    table = (ROOT / "docs/operate/install.md").read_text().partition("## Rights of each command")[2]
    logins = {
        name: login
        for commands, login in re.findall(
            r"^\| (`.+?) \| (.+?) \|", table.partition("\n## ")[0], re.MULTILINE
        )
        for name in re.findall(r"`([a-z_]+)", commands)
    }
    assert {name for name in AS_OWNER if logins[name] == "owner of the tables"} == set(AS_OWNER)
    assert {name for name in AS_APPLICATION if "application" in logins[name]} == set(AS_APPLICATION)
