"""The strength that the rulebook asks of a signature, and that a person can give."""

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
)  # the acts that holders of seats sign


@dataclass(frozen=True)
class Asked:
    """The strength that an act asks for, and the proofs this person can give now."""

    least: Strength
    passkeys: tuple[Passkey, ...]
    app: AuthenticatorApp | None
    links: tuple[ExternalIdentity, ...] = ()
    has_password: bool = True

    @property
    def by_password(self) -> bool:
        """Return True if the password, with the code of an app if there is one, is enough."""
        own = Strength.PASSWORD_AND_CODE if self.app is not None else Strength.PASSWORD
        return self.has_password and own.rank >= self.least.rank

    @property
    def by_provider(self) -> tuple[ExternalIdentity, ...]:
        """Return the linked accounts that can sign. There are none if the act asks for more."""
        return self.links if Strength.PROVIDER.rank >= self.least.rank else ()

    @property
    def password_alone(self) -> bool:
        """Return True if the person can show only a password."""
        return self.has_password and self.app is None and not self.passkeys and not self.by_provider

    @property
    def why_not(self) -> str:
        """Return why this person cannot sign it now, and what to do, or ""."""
        if self.by_password or self.passkeys or self.by_provider:
            return ""
        if self.least == Strength.PASSWORD:
            return (
                "You have no password in Plumbline, and no other way to sign now. Ask an admin: your "
                "identity provider is switched off, or your account is not linked with it."
            )
        wants = self.least.label.lower()
        return f"The rulebook requires a signature by at least: {wants}. {_remedy(self.least)}"


def _remedy(least: Strength) -> str:
    """Return what a person without the strength can do."""
    ways = []
    if not relying_party.why_none():
        waits = "you can sign with it after a day, or after a second admin has confirmed it"
        ways.append(f"add a passkey on the page Sign-in and security ({waits})")
    if least == Strength.PASSWORD_AND_CODE:
        ways.append("add an authenticator app on the page Sign-in and security")
    if least.rank <= Strength.PROVIDER.rank and IdentityProvider.objects.on().exists():
        ways.append("link your account with an identity provider on the page Your account")
    return f"You can {', or '.join(ways)}." if ways else relying_party.why_none()


def least_for(act: str, tier: str) -> Strength:
    """Return the least strength for this act at this tier, by default a password."""
    rulebook = Rulebook.objects.in_force()
    said = rulebook.parsed.signatures.get(act, {}).get(tier, "") if rulebook is not None else ""
    return Strength(said) if said else Strength.PASSWORD


def asked_of(person: User, act: str, *tiers: str) -> Asked:
    """Return what this act asks at these tiers, and what the person can give now."""
    now = clock.now()
    able = tuple(row for row in passkeys.usable(person) if row.may_sign_at(now))
    least = max((least_for(act, tier) for tier in tiers), key=lambda one: one.rank, default=Strength.PASSWORD)
    links = tuple(provider_tokens.links_of(person))
    return Asked(least, able, codes.app_of(person), links, person.has_usable_password())


def why_not_by_tier(person: User, act: str, tiers: Iterable[str]) -> dict[str, str]:
    """Return why this person cannot sign this act now, and what to do, or "", by tier."""
    own = asked_of(person, act)
    return {tier: replace(own, least=least_for(act, tier)).why_not for tier in {*tiers}}


def before_signing(people: list[User], act: str, tier: str) -> str:
    """Return a sentence on the act's strength and who of these people lacks it, or ""."""
    least = least_for(act, tier)
    if least == Strength.PASSWORD:
        return ""
    lacking = [str(person) for person in people if asked_of(person, act, tier).why_not]
    said = f"The rulebook requires a signature by at least: {least.label.lower()}."
    if not lacking:
        return f"{said} Everyone who must sign can sign this way."
    return (
        f"{said} These people cannot sign yet: {', '.join(lacking)}. Each of these people gets a "
        "notification: "
        f"{_remedy(least)}"
    )


def who_could_not(signatures: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return a sentence for each act and strength on the seat holders who lack it now."""
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
        signed = f"{act.replace('_', '-').capitalize()} at {' and '.join(tiers)} risk"
        where = f"{signed} needs at least: {least.label.lower()}."
        who = (
            f"These people cannot sign yet: {', '.join(lacking)}."
            if lacking
            else "Everyone with a seat can sign."
        )
        found.append(f"{where} {who}")
    return found
