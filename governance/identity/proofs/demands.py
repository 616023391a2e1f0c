"""How strong a signature must be, by act and risk tier, as the rulebook in force says; and what somebody can give."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from governance import clock
from governance.identity.factors import codes, passkeys, relying_party
from governance.identity.proofs import provider_tokens
from governance.models import (
    AuthenticatorApp,
    ExternalIdentity,
    IdentityProvider,
    Membership,
    Passkey,
    Rulebook,
    User,
)
from governance.vocabulary import Strength

OF_SEATS = (
    "sign_off",
    "decision",
    "contract",
    "waiver",
    "verification",
)  # what is signed by whoever holds a seat


@dataclass(frozen=True)
class Asked:
    """What an act asks of a signature, and by what this person can sign now."""

    least: Strength
    passkeys: tuple[Passkey, ...]
    app: AuthenticatorApp | None
    links: tuple[ExternalIdentity, ...] = ()
    has_password: bool = True

    @property
    def by_password(self) -> bool:
        """Whether the password, with the code of an app where there is one, is strong enough."""
        own = Strength.PASSWORD_AND_CODE if self.app is not None else Strength.PASSWORD
        return self.has_password and own.rank >= self.least.rank

    @property
    def by_provider(self) -> tuple[ExternalIdentity, ...]:
        """The linked accounts by which it can be signed: none where the act asks for more."""
        return self.links if Strength.PROVIDER.rank >= self.least.rank else ()

    @property
    def password_alone(self) -> bool:
        """Whether there is nothing to show but a password."""
        return self.has_password and self.app is None and not self.passkeys and not self.by_provider

    @property
    def why_not(self) -> str:
        """Why this person cannot sign it now, and what to do; empty where they can."""
        if self.by_password or self.passkeys or self.by_provider:
            return ""
        if self.least == Strength.PASSWORD:
            return (
                "You have no password here, and nothing else to sign with now. Ask an admin: your identity provider is "
                "switched off, or your account is not linked with it."
            )
        wants = self.least.label.lower()
        return f"The rulebook asks that this is signed by at least: {wants}. {_remedy(self.least)}"


def _remedy(least: Strength) -> str:
    """What somebody does who lacks the strength."""
    ways = []
    if not relying_party.why_none():
        waits = "it signs after a day, or once a second admin has confirmed it"
        ways.append(f"add a passkey in Sign-in and security ({waits})")
    if least == Strength.PASSWORD_AND_CODE:
        ways.append("add an authenticator app in Sign-in and security")
    if least.rank <= Strength.PROVIDER.rank and IdentityProvider.objects.on().exists():
        ways.append("link your account with an identity provider under Your account")
    return f"You can {', or '.join(ways)}." if ways else relying_party.why_none()


def least_for(act: str, tier: str) -> Strength:
    """The least strength that the rulebook in force asks for this act at this tier; a password where it says
    nothing.
    """
    rulebook = Rulebook.objects.in_force()
    said = rulebook.parsed.signatures.get(act, {}).get(tier, "") if rulebook is not None else ""
    return Strength(said) if said else Strength.PASSWORD


def asked_of(person: User, act: str, *tiers: str) -> Asked:
    """What this act asks where it is about initiatives of these tiers, and by what the person can sign now."""
    now = clock.now()
    able = tuple(row for row in passkeys.usable(person) if row.may_sign_at(now))
    least = max((least_for(act, tier) for tier in tiers), key=lambda one: one.rank, default=Strength.PASSWORD)
    links = tuple(provider_tokens.links_of(person))
    return Asked(least, able, codes.app_of(person), links, person.has_usable_password())


def why_not_by_tier(person: User, act: str, tiers: Iterable[str]) -> dict[str, str]:
    """By tier, why this person cannot sign this act there now, and what to do; empty where they can."""
    own = asked_of(person, act)
    return {tier: replace(own, least=least_for(act, tier)).why_not for tier in {*tiers}}


def before_signing(people: list[User], act: str, tier: str) -> str:
    """What the rulebook asks of the signatures of this act, and who of these people cannot give it yet, as a sentence;
    empty where a password is enough.
    """
    least = least_for(act, tier)
    if least == Strength.PASSWORD:
        return ""
    lacking = [str(person) for person in people if asked_of(person, act, tier).why_not]
    said = f"The rulebook asks that it is signed by at least: {least.label.lower()}."
    if not lacking:
        return f"{said} Everybody who is told can."
    return f"{said} Not yet able to: {', '.join(lacking)}. Each is told: {_remedy(least)}"


def who_could_not(signatures: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Of the people who hold a seat now, those who could not sign what a rulebook's [signatures] would ask: a sentence
    for each act and strength.
    """
    asked: dict[tuple[str, Strength], list[str]] = {}
    for act, by_tier in signatures.items():
        for tier, said in by_tier.items():
            if act in OF_SEATS and said != Strength.PASSWORD:
                asked.setdefault((act, Strength(said)), []).append(tier)
    if not asked:
        return []
    seated = Membership.objects.held_at(clock.now()).values("person")
    people = [
        (person, asked_of(person, "")) for person in User.objects.filter(pk__in=seated).order_by("full_name")
    ]
    found = []
    for (act, least), tiers in asked.items():
        lacking = [str(person) for person, own in people if replace(own, least=least).why_not]
        where = f"{act.replace('_', '-').capitalize()} at {' and '.join(tiers)} risk: at least {least.label.lower()}."
        who = f"Not yet able to: {', '.join(lacking)}." if lacking else "Everybody with a seat can."
        found.append(f"{where} {who}")
    return found
