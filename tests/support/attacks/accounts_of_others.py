"""What would let somebody become somebody else: a password, an account, a seat or a second factor, written by SQL."""

from governance import clock
from governance.models import (
    AuthenticatorApp,
    BreakGlass,
    ExternalIdentity,
    IdentityProvider,
    Membership,
    Passkey,
    RecoveryCode,
    SignInPolicy,
    User,
)
from tests.support.attacks.acts_of_others import DAY, NEW, inserted
from tests.support.attacks.forged_statements import as_, changed, told

HASH = "pbkdf2_sha256$1000000$mine$mine"


def _seat(s, person, by, **said):
    now = clock.now()
    return Membership(
        **{
            "board": s.cast.board,
            "person": person,
            "seat": "chair",
            "starts_at": now,
            "granted_by": by,
            "signs_from": now + DAY,
        }
        | said
    )


def _passkey(s, **said):
    now = clock.now()
    return Passkey(
        person=s.cast.chair,
        name="x",
        credential="mine",
        public_key="mine",
        algorithm=-7,
        rp_id="x",
        made_at=now,
        **{"signs_from": now + DAY} | said,
    )


def _identity(s, by):
    provider = IdentityProvider(
        name="Mine",
        slug="mine",
        kind="oidc",
        issuer="https://mine.example",
        client_id="x",
        added_at=clock.now(),
    )
    return [
        *inserted(provider),
        told("identity provider added", by),
        *inserted(
            ExternalIdentity(
                person=s.cast.chair, provider_id=NEW, key="mine", linked_by=by, linked_at=clock.now()
            )
        ),
        told("external identity linked", by, person_id=s.cast.chair.pk),
    ]


# By what is tried: the words of the database, and what is written. Each names who is said to act.
ACCOUNTS = {
    "a password hash exchanged, in nobody's name": (
        "signs what lets an initiative rise a day later",
        lambda s: [as_(None), *changed(s.cast.chair, password=HASH)],
    ),
    "a password hash exchanged by an admin, with its act and without the wait": (
        "signs what lets an initiative rise a day later",
        lambda s: [
            as_(s.cast.admin),
            *changed(s.cast.chair, password=HASH),
            told("password set", s.cast.admin, person_id=s.cast.chair.pk),
        ],
    ),
    "a password hash exchanged in the name of its person, without an act": (
        "without its act (password set",
        lambda s: [as_(s.cast.chair), *changed(s.cast.chair, password=HASH)],
    ),
    "a password hash exchanged with the act of another account": (
        "without its act (password set",
        lambda s: [
            as_(s.cast.chair),
            *changed(s.cast.chair, password=HASH),
            told("password set", s.cast.chair, person_id=s.cast.outsider.pk),
        ],
    ),
    "is_admin set by oneself": (
        "only an admin gives",
        lambda s: [
            as_(s.cast.outsider),
            *changed(s.cast.outsider, is_admin=True, signs_from=clock.now() + DAY),
            told("user changed", s.cast.outsider, row_id=s.cast.outsider.pk),
        ],
    ),
    "is_admin set by an admin, without the wait": (
        "a new admin signs",
        lambda s: [
            as_(s.cast.admin),
            *changed(s.cast.outsider, is_admin=True),
            told("user changed", s.cast.admin, row_id=s.cast.outsider.pk),
        ],
    ),
    "is_admin set by an admin, without an act": (
        "without its act (user changed",
        lambda s: [as_(s.cast.admin), *changed(s.cast.outsider, is_admin=True, signs_from=clock.now() + DAY)],
    ),
    "is_auditor set in nobody's name": (
        "only an admin gives",
        lambda s: [as_(None), *changed(s.cast.outsider, is_auditor=True)],
    ),
    "an admin's account made in nobody's name": (
        "only an admin gives",
        lambda s: [as_(None), *inserted(User(login="mine", full_name="Mine", password=HASH, is_admin=True))],
    ),
    "an account made without an act": (
        "without its act (account added",
        lambda s: [as_(None), *inserted(User(login="mine", full_name="Mine", password=HASH))],
    ),
    "an email address changed quietly": (
        "waits a day before links go there",
        lambda s: [
            as_(s.cast.admin),
            *changed(s.cast.chair, email="mine@example.org"),
            told("user changed", s.cast.admin, row_id=s.cast.chair.pk),
        ],
    ),
    "an account deactivated by a stranger": (
        "by an admin or its directory",
        lambda s: [as_(s.cast.outsider), *changed(s.cast.chair, is_active=False)],
    ),
    "a seat granted by a stranger": (
        "granted by an admin",
        lambda s: [as_(s.cast.outsider), *inserted(_seat(s, s.cast.sponsor, s.cast.outsider))],
    ),
    "a seat granted in an admin's name by somebody else": (
        "granted by an admin",
        lambda s: [as_(s.cast.outsider), *inserted(_seat(s, s.cast.outsider, s.cast.admin))],
    ),
    "a seat granted without an act": (
        "without its act (appointed)",
        lambda s: [as_(s.cast.admin), *inserted(_seat(s, s.cast.outsider, s.cast.admin))],
    ),
    "a seat taken over as delegate of somebody who is not away": (
        "taken over by a delegate",
        lambda s: [
            as_(s.cast.outsider),
            *inserted(
                _seat(
                    s,
                    s.cast.outsider,
                    s.cast.chair,
                    delegate_of=Membership.objects.get(person=s.cast.chair, seat="chair"),
                    ends_at=clock.now() + DAY,
                )
            ),
        ],
    ),
    "the end of a seat taken back": (
        "is not taken back",
        lambda s: [
            as_(s.cast.admin),
            *changed(Membership.objects.get(person=s.cast.deputy_chair), ends_at=clock.now()),
            *changed(Membership.objects.get(person=s.cast.deputy_chair), ends_at=None),
        ],
    ),
    "a passkey added for somebody else": (
        "person_id of governance_passkey names who acts",
        lambda s: [as_(s.cast.admin), *inserted(_passkey(s))],
    ),
    "a passkey that signs at once": (
        "a new passkey signs a day later",
        lambda s: [as_(s.cast.chair), *inserted(_passkey(s, signs_from=clock.now()))],
    ),
    "a passkey added without an act": (
        "without its act (passkey added)",
        lambda s: [as_(s.cast.chair), *inserted(_passkey(s))],
    ),
    "the key of a passkey exchanged": (
        "public_key of governance_passkey stays",
        lambda s: [
            as_(s.cast.chair),
            *inserted(_passkey(s)),
            told("passkey added", s.cast.chair, person_id=s.cast.chair.pk),
            (f"UPDATE governance_passkey SET public_key = 'other' WHERE id = {NEW}", []),
        ],
    ),
    "an authenticator app added for somebody else": (
        "person_id of governance_authenticatorapp names who acts",
        lambda s: [
            as_(s.cast.outsider),
            *inserted(
                AuthenticatorApp(
                    person=s.cast.chair, secret=b"mine", sealed_under="mine", made_at=clock.now()
                )
            ),
        ],
    ),
    "a recovery code without an act": (
        "without its act (recovery codes made)",
        lambda s: [
            as_(s.cast.chair),
            *inserted(RecoveryCode(person=s.cast.chair, hash="0" * 64, made_at=clock.now())),
        ],
    ),
    "an account linked by a stranger": (
        "is changed by an admin|counts a day later|waits",
        lambda s: [as_(s.cast.outsider), *_identity(s, s.cast.outsider)],
    ),
    "a break-glass account marked by a stranger": (
        "is changed by an admin",
        lambda s: [
            as_(s.cast.outsider),
            *inserted(BreakGlass(slot=1, person=s.cast.second_admin, marked_by=s.cast.outsider)),
        ],
    ),
    "local accounts switched without an act": (
        "without its act (local accounts switched)",
        lambda s: [as_(s.cast.admin), *inserted(SignInPolicy(local_accounts=False), key=1)],
    ),
}
