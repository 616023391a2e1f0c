"""A2, A6, A10: accounts taken over, acts of people who may not, the time of a checkpoint moved.

As the application's login, with true history and true acts beside each row: the database refuses it. With every guard
off, as the owner of the tables: `verify_audit_log` and the verifier of an export name the row.
"""

import datetime
import itertools
import shutil
import zipfile
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from governance import clock
from governance.models import Checkpoint, Notification, User
from governance.offline import verify
from governance.people import cooling_off
from governance.transparency_log import sealing, signing_keys, verification
from tests.acceptance.attacks.test_forgeries import tried
from tests.support import factories, plugin
from tests.support.attacks.accounts_of_others import ACCOUNTS, HASH
from tests.support.attacks.acts_of_others import ACTS, prepared
from tests.support.attacks.forged_statements import Scene, as_, changed, set_up, told
from tests.support.attacks.unguarded_writes import unguarded
from tests.support.database.tampering import tamper

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def scene(transactional_db) -> Scene:
    """What is attacked."""
    return prepared(set_up())


def test_the_database_refuses_each_act_of_somebody_who_may_not(scene, application_login):
    wrong = {}
    for name, (_, _, forge) in ACTS.items():
        said, _ = tried(
            lambda s, forge=forge: [as_(s.cast.outsider), *forge(s, s.cast.outsider)],
            scene,
            application_login,
        )
        if not said.startswith("Plumbline: ") or "without its act" in said or "history" in said:
            wrong[name] = said or "it went through"
    assert wrong == {}


def test_the_database_refuses_each_act_in_the_name_of_somebody_else(scene, application_login):
    """The row names the chair. Whoever acts has no right to it, or, as the owner, may have the same right."""
    wrong = {}
    for (name, (_, _, forge)), actor in itertools.product(ACTS.items(), ("outsider", "owner")):
        if name in ("accepted again", "withdrawn", "role accepted", "condition fixed", "key principal named"):
            continue  # these rows name nobody: it is whoever acts
        said, _ = tried(
            lambda s, forge=forge, actor=actor: [as_(getattr(s.cast, actor)), *forge(s, s.cast.chair)],
            scene,
            application_login,
        )
        if not said.startswith("Plumbline: ") or "without its act" in said or "history" in said:
            wrong[name, actor] = said or "it went through"
    assert wrong == {}


def test_what_was_done_with_the_guards_off_is_found_at_its_row(scene):
    """One after the other, each taken back, so that no finding hides another."""
    missing = {}
    for name, (_, table, forge) in ACTS.items():
        found, keys = let_through(
            scene, [as_(scene.cast.outsider), *forge(scene, scene.cast.outsider)], table
        )
        here = [one for one in found if one.place == "judged" and one.table == table and one.key in keys]
        if not any("without the right to" in one.words for one in here):
            missing[name] = [str(one) for one in found] or "nothing found"
    assert missing == {}


def let_through(scene, statements, *tables):
    """What verification finds after these statements with the guards of the tables off; and the keys of their rows."""
    watched = {*tables, "initiatives_initiative"}
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT coalesce(max(id), 0) FROM governance_entry")
            (last,) = cursor.fetchone()
        with unguarded(*watched), connection.cursor() as cursor:
            for text, values in statements:
                cursor.execute(text, values or None)
            if "initiatives_stagechange" in tables:
                cursor.execute("UPDATE initiatives_stagechange SET consumed = true WHERE NOT consumed")
        with connection.cursor() as cursor:
            cursor.execute(
                'SELECT key FROM governance_entry WHERE id > %s AND "table" = ANY (%s)', [last, list(tables)]
            )
            keys = {key for (key,) in cursor.fetchall()}
        found = verification.verify(names=plugin.LOGINS).findings
        transaction.set_rollback(True)
    return found, keys


def test_the_database_refuses_whatever_opens_an_account(scene, application_login):
    wrong = {}
    for name, (words, forge) in ACCOUNTS.items():
        said, _ = tried(forge, scene, application_login)
        if not any(word in said for word in words.split("|")):
            wrong[name] = said or "it went through"
    assert wrong == {}


# By what was done with the guards off: the table, the words of the finding, the statements.
OPENED = {
    "a password exchanged by somebody else": (
        "governance_user",
        "someone else changed the password",
        lambda s: [
            as_(s.cast.admin),
            *changed(s.cast.chair, password=HASH),
            told("password set", s.cast.admin, person_id=s.cast.chair.pk),
        ],
    ),
    "a password exchanged without an act": (
        "governance_user",
        "no act 'password set'",
        lambda s: [as_(s.cast.chair), *changed(s.cast.chair, password=HASH)],
    ),
    "is_admin set": (
        "governance_user",
        "without the right to",
        lambda s: [
            as_(s.cast.outsider),
            *changed(s.cast.outsider, is_admin=True),
            told("user changed", s.cast.outsider, row_id=s.cast.outsider.pk),
        ],
    ),
    "a seat granted": (
        "governance_membership",
        "without the right to",
        lambda s: [
            *ACCOUNTS["a seat granted by a stranger"][1](s),
            told("appointed", s.cast.outsider, person_id=s.cast.sponsor.pk),
        ],
    ),
    "a passkey added for somebody else": (
        "governance_passkey",
        "without the right to",
        lambda s: [
            *ACCOUNTS["a passkey added for somebody else"][1](s),
            told("passkey added", s.cast.admin, person_id=s.cast.chair.pk),
        ],
    ),
}


def test_an_account_opened_with_the_guards_off_is_found_at_its_row(scene):
    missing = {}
    for name, (table, words, forge) in OPENED.items():
        found, keys = let_through(scene, forge(scene), table)
        if not any(one.table == table and one.key in keys and words in one.words for one in found):
            missing[name] = [str(one) for one in found] or "nothing found"
    assert missing == {}


def test_what_remains_of_a_password_in_the_name_of_its_person(scene, application_login):
    """The limit: with a true act of the person herself the database cannot tell. The act stays, and auditors see it."""
    statements = [
        as_(scene.cast.chair),
        *changed(scene.cast.chair, password=HASH),
        told("password set", scene.cast.chair, person_id=scene.cast.chair.pk, how="x"),
    ]
    assert tried(lambda s: statements, scene, application_login) == ("", [])


def test_a_hash_renewed_at_sign_in_has_its_act(scene, settings):
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        *settings.PASSWORD_HASHERS,
    ]
    person = User.objects.get(pk=scene.cast.chair.pk)
    before = person.password
    assert person.check_password(factories.PASSWORD)  # committed: the deferred guards have run
    person = User.objects.get(pk=person.pk)
    assert person.password != before
    assert person.signs_from is None
    assert verification.verify(names=plugin.LOGINS).findings == []


def test_rights_given_by_an_admin_wait_and_are_told(scene, client):
    client.force_login(scene.cast.admin)
    sponsor = scene.cast.sponsor
    said = {
        "full_name": sponsor.full_name,
        "email": sponsor.email,
        "unit": sponsor.unit_id or "",
        "manager": "",
        "is_admin": "on",
        "reason": "She keeps accounts from now on",
    }
    response = client.post(f"/admin/governance/user/{sponsor.pk}/change/", said)
    assert response.status_code == 302, response.content
    sponsor = User.objects.get(pk=sponsor.pk)
    assert sponsor.is_admin
    assert cooling_off.person_until(sponsor, clock.now()) is not None
    assert Notification.objects.filter(person=sponsor, kind="account", subject__contains="rights").exists()
    assert verification.verify(names=plugin.LOGINS).findings == []


# --- The time of a checkpoint ----------------------------------------------------------------------------------------


def _dated_back(*, signed: bool) -> Checkpoint:
    """The first checkpoint and what it made known, 300 days earlier; `signed`: anew, by somebody who has the key."""
    row = Checkpoint.objects.order_by("pk").first()
    at = row.at - datetime.timedelta(days=300)
    tamper(
        "UPDATE governance_checkpoint SET at = %s WHERE id = %s", at, row.pk, table="governance_checkpoint"
    )
    tamper(
        "UPDATE governance_sealing SET known_at = %s WHERE checkpoint_id = %s",
        at,
        row.pk,
        table="governance_sealing",
    )
    if signed:
        note = signing_keys.signed_note(row.origin, row.size, bytes(row.root), at)
        tamper(
            "UPDATE governance_checkpoint SET note = %s WHERE id = %s",
            note,
            row.pk,
            table="governance_checkpoint",
        )
    return row


@pytest.mark.parametrize("signed", [False, True], ids=["beside the note", "must sign again"])
def test_a_checkpoint_dated_back_is_found(scene, signed):
    sealing.seal()
    with transaction.atomic():
        row = _dated_back(signed=signed)
        found = verification.verify(names=plugin.LOGINS).findings
        transaction.set_rollback(True)
    assert {(one.table, one.key, one.field) for one in found} == {
        ("governance_checkpoint", str(row.pk), "at")
    }


def test_an_export_whose_checkpoint_was_dated_back_is_refused(scene, tmp_path):
    sealing.seal()
    with transaction.atomic():
        _dated_back(signed=True)
        file = tmp_path / "taken.zip"
        call_command("export_audit_log", "--all", "--to", str(file), stdout=StringIO(), stderr=StringIO())
        transaction.set_rollback(True)
    with zipfile.ZipFile(file) as archive:
        archive.extractall(tmp_path)
    with pytest.raises(verify.Rejected, match="recorded after the checkpoint of size"):
        verify._check_place(str(tmp_path / "taken"), (), ())
    shutil.rmtree(tmp_path / "taken")


def test_an_honest_scene_has_nothing_to_find(scene, tmp_path):
    sealing.seal()
    assert verification.verify(names=plugin.LOGINS).findings == []
    file = tmp_path / "taken.zip"
    call_command("export_audit_log", "--all", "--to", str(file), stdout=StringIO(), stderr=StringIO())
    with zipfile.ZipFile(file) as archive:
        archive.extractall(tmp_path)
    assert any("were judged" in line for line in verify._check_place(str(tmp_path / "taken"), (), ()))
