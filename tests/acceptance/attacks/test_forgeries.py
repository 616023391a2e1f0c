"""H1: forgeries of stage, sign-off, decision, contract, role, seat, evidence, password, guard, function and grant.

Each is tried as the application's login, with the product's own grants, and as the owner of the tables. `REFUSED` says
the database's sentence for each of the two; `FOUND` what the owner gets through and verification finds.
"""

import json

import pytest
from django.db import DatabaseError, connection, transaction

from governance import clock
from governance.transparency_log import verification
from tests.support import plugin
from tests.support.attacks.forged_statements import (
    Scene,
    changed,
    ended,
    in_force,
    plain,
    set_up,
    sign_off,
    told,
)
from tests.support.attacks.refused_forgeries import DENIED, REFUSED

pytestmark = pytest.mark.django_db(transaction=True)

OWNERS = "must be owner"
# The words of the guard of every governed table, which may come before those of a guard of its own.
NAMED, KEPT = "names who acts.", "stays as it was written."


@pytest.fixture
def scene(transactional_db) -> Scene:
    """What is attacked."""
    return set_up()


# What the owner of the tables gets through, and what the application is told; the finding's words.
FOUND = {
    "the guard of sign-offs switched off": (
        plain("ALTER TABLE initiatives_signoff DISABLE TRIGGER sign_off_of_the_board"),
        OWNERS,
        "initiatives_signoff.sign_off_of_the_board is switched off",
    ),
    "the guard of decisions dropped": (
        plain("DROP TRIGGER decided_as_its_rulebook_says ON initiatives_review"),
        OWNERS,
        "initiatives_review.decided_as_its_rulebook_says is gone",
    ),
    "the guard of stages replaced": (
        plain(
            "CREATE OR REPLACE FUNCTION plumbline_guard_stage() RETURNS trigger LANGUAGE plpgsql"
            " AS 'BEGIN RETURN NEW; END'"
        ),
        f"{OWNERS}|{DENIED}",
        "plumbline_guard_stage() differs from the one that migrations install",
    ),
    "append_only dropped": (
        plain("DROP TRIGGER append_only ON initiatives_signoff"),
        OWNERS,
        "initiatives_signoff.append_only is gone",
    ),
    "a function of guards replaced": (
        plain(
            "CREATE OR REPLACE FUNCTION plumbline_sits(board bigint, person bigint, place text, moment timestamptz)"
            " RETURNS boolean LANGUAGE sql AS 'SELECT true'"
        ),
        f"{OWNERS}|{DENIED}",
        "differs from the one that migrations install",
    ),
    "a search path opened": (
        plain("ALTER FUNCTION plumbline_guard_decision() RESET search_path"),
        OWNERS,
        "plumbline_guard_decision() differs from the one that migrations install",
    ),
    "a trigger function given to everybody": (
        plain("GRANT EXECUTE ON FUNCTION plumbline_capture_initiatives_signoff() TO PUBLIC"),
        "",
        "plumbline_capture_initiatives_signoff() may be called by anybody",
    ),
    "a function of one's own on a table": (
        plain(
            "CREATE FUNCTION public.mine() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            "CREATE TRIGGER aaa BEFORE INSERT ON initiatives_signoff FOR EACH ROW EXECUTE FUNCTION public.mine()",
        ),
        DENIED,
        "initiatives_signoff.aaa is unknown: no migration installs it",
    ),
    "sign-offs made changeable": (
        lambda s: [(f"GRANT UPDATE ON initiatives_signoff TO {plugin.LOGINS.application}", [])],
        "",
        "was granted UPDATE on initiatives_signoff",
    ),
    "passwords shown to auditors": (
        lambda s: [(f"GRANT SELECT ON governance_user TO {plugin.LOGINS.auditor}", [])],
        "",
        "was granted SELECT on governance_user",
    ),
    "temporary tables for everybody": (
        lambda s: [(f'GRANT TEMPORARY ON DATABASE "{connection.settings_dict["NAME"]}" TO PUBLIC', [])],
        "",
        "Everyone was granted TEMPORARY",
    ),
    "a constraint dropped": (
        plain("ALTER TABLE initiatives_signoff DROP CONSTRAINT one_sign_off_per_seat"),
        OWNERS,
        "initiatives_signoff.one_sign_off_per_seat is gone",
    ),
    "rules of signatures of one's own": (
        lambda s: [
            (
                "INSERT INTO governance_signingrule (rulebook_id, about, tier, seats, must_include, quorum,"
                " max_age_days, blocking, decided_by) SELECT id, 'mine', '', '[]', '[]', 0, 1, '[]', ''"
                " FROM governance_rulebook",
                [],
            )
        ],
        "is written when it is published",
        "differ from its text",
    ),
    "a stage with every trigger off": (
        plain(
            "ALTER TABLE initiatives_initiative DISABLE TRIGGER USER",
            "UPDATE initiatives_initiative SET stage = 'production' WHERE stage = 'prototype'",
            "ALTER TABLE initiatives_initiative ENABLE TRIGGER USER",
        ),
        OWNERS,
        "changed outside of the audit log",
    ),
    "a sign-off turned round with every trigger off": (
        plain(
            "ALTER TABLE initiatives_signoff DISABLE TRIGGER USER",
            "UPDATE initiatives_signoff SET verdict = 'recuse'",
            "ALTER TABLE initiatives_signoff ENABLE TRIGGER USER",
        ),
        OWNERS,
        "changed outside of the audit log",
    ),
}


def _stage_with_its_guard_off(s):
    """H2: the guard of the stage off for one transaction, capture on."""
    return [
        ("ALTER TABLE initiatives_initiative DISABLE TRIGGER stage_is_guarded", []),
        *changed(s.initiative, stage="production", basis="decision"),
        ("SET CONSTRAINTS ALL IMMEDIATE", []),
        ("ALTER TABLE initiatives_initiative ENABLE TRIGGER stage_is_guarded", []),
    ]


def _decided_with_its_guard_off(s):
    """H2: a review approved with one sign-off of three, its guard off for one transaction."""
    return [
        ("ALTER TABLE initiatives_review DISABLE TRIGGER decided_as_its_rulebook_says", []),
        *ended(s, "approved", s.cast.chair, sign_offs=[s.sign_off]),
        told("review approved", s.cast.chair, s.initiative, review=s.review.pk),
        ("SET CONSTRAINTS ALL IMMEDIATE", []),
        ("ALTER TABLE initiatives_review ENABLE TRIGGER decided_as_its_rulebook_says", []),
    ]


def _signed_off_with_its_guards_off(s):
    """H2: a sign-off by the outsider, the guards of sign-offs off for one transaction."""
    names = (
        "duties_are_separate",
        "sign_off_of_the_board",
        "stand_ins_do_not_sign",
        "written_as_stated",
        "has_its_act",
    )
    return [
        *((f"ALTER TABLE initiatives_signoff DISABLE TRIGGER {name}", []) for name in names),
        sign_off(s.review, "risk_compliance", s.cast.outsider),
        ("SET CONSTRAINTS ALL IMMEDIATE", []),
        *((f"ALTER TABLE initiatives_signoff ENABLE TRIGGER {name}", []) for name in names),
    ]


def _in_force_with_its_guard_off(s):
    """H2: a contract in force with no approval, its guard off for one transaction."""
    return [
        ("ALTER TABLE governance_contractversion DISABLE TRIGGER in_force_once_approved", []),
        *in_force(s.contract),
        ("SET CONSTRAINTS ALL IMMEDIATE", []),
        ("ALTER TABLE governance_contractversion ENABLE TRIGGER in_force_once_approved", []),
    ]


# Found by what verification judges (H2, M4).
JUDGED = {
    "H2 a stage with its guard off": _stage_with_its_guard_off,
    "H2 a decision with its guard off": _decided_with_its_guard_off,
    "H2 a sign-off with its guards off": _signed_off_with_its_guards_off,
    "H2 a contract with its guard off": _in_force_with_its_guard_off,
    "M4 a password with every trigger off": plain(
        "ALTER TABLE governance_user DISABLE TRIGGER USER",
        "UPDATE governance_user SET password = 'mine' WHERE login = 'seat-risk'",
        "ALTER TABLE governance_user ENABLE TRIGGER USER",
    ),
}


# --- Tried -----------------------------------------------------------------------------------------------------------


def tried(forge, scene, login=None) -> tuple[str, list[str]]:
    """Carry a forgery out up to its commit: what the database says to it, and what verification finds. Taken back."""
    said, found = "", []
    with transaction.atomic():
        statements = forge(scene)
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                act = {"name": "Mallory", "at": clock.now().isoformat(), "reason": ""}
                cursor.execute("SELECT set_config('plumbline.act', %s, true)", [json.dumps(act)])
                if login:
                    cursor.execute(f"SET LOCAL SESSION AUTHORIZATION {login}")
                for text, values in statements:
                    cursor.execute(text, values or None)
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                if login:
                    cursor.execute("RESET SESSION AUTHORIZATION")
        except DatabaseError as trouble:
            said = str(trouble).splitlines()[0]
        else:
            found = list(map(str, verification.verify(names=plugin.LOGINS).findings))
        transaction.set_rollback(True)
    return said, found


def test_the_database_refuses_the_application(scene, application_login):
    wrong = {}
    for name, (forge, words, _) in REFUSED.items():
        said, _ = tried(forge, scene, application_login)
        if not any(one in said for one in (words, NAMED, KEPT)):
            wrong[name] = said or "it went through"
    assert wrong == {}
    assert len(REFUSED) + len(FOUND) >= 40


def test_the_database_refuses_the_owner(scene):
    wrong = {}
    for name, (forge, _, words) in REFUSED.items():
        said, _ = tried(forge, scene)
        if not any(one in said for one in (words, NAMED, KEPT)):
            wrong[name] = said or "it went through"
    assert wrong == {}


def test_what_the_owner_gets_through_is_found_and_the_application_gets_nowhere(scene, application_login):
    wrong = {}
    for name, (forge, denied, words) in FOUND.items():
        said, found = tried(forge, scene)
        if said or not any(words in finding for finding in found):
            wrong[name] = said or found[:3]
        said, found = tried(forge, scene, application_login)
        # Whoever grants what is not his to give is warned, and nothing is granted.
        if (denied and not any(word in said for word in denied.split("|"))) or (not denied and found):
            wrong[f"{name}, by the application"] = said or found[:3] or "it went through"
    assert wrong == {}


def test_an_untouched_scene_has_nothing_to_find(scene):
    assert tried(lambda s: [], scene) == ("", [])


@pytest.mark.parametrize("name", JUDGED)
def test_what_was_done_with_a_guard_off_is_found_by_judging(scene, name):
    said, found = tried(JUDGED[name], scene)
    if said:
        raise RuntimeError(said)
    assert found, name
