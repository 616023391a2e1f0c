"""Signing rules of a rulebook as rows for database guards: seats, quorum, decider.

The publishing act writes them. `write_missing` writes them for rulebooks that are older than the table.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from governance.database.row_history import acting
from governance.models import Rulebook, SigningRule
from governance.rulebook import ParsedRulebook, RulebookErrors
from governance.vocabulary import Tier

TIERS = ("", *Tier.values)  # the first: none confirmed
WITHOUT_REVIEW = ("stopped",)  # reached at once, by no sign-off
COMPARED = ("about", "tier", "seats", "must_include", "quorum", "max_age_days", "blocking", "decided_by")


def rules_of(rulebook: ParsedRulebook) -> Iterator[dict[str, Any]]:
    """Yield the signing rules of a rulebook: by gate and tier, for pipelines by tier, and for contracts."""
    for key, any_tier in rulebook.gates.items():
        if any_tier.to in WITHOUT_REVIEW:
            continue
        for tier in TIERS:
            gate = rulebook.at_tier(tier).gates[key]
            yield {
                "about": gate.key,
                "tier": tier,
                "seats": list(gate.seats),
                "must_include": list(gate.must_include),
                "quorum": gate.quorum_for(tier),
                "max_age_days": rulebook.freshness.sign_off_max_age_days,
                "blocking": [criterion.key for criterion in gate.criteria if criterion.blocking],
                "decided_by": SigningRule.BY_CHAIR,
            }
    for tier in TIERS:
        yield _by_last(SigningRule.PIPELINE, tier, [rulebook.at_tier(tier).pipeline_seat])
    yield _by_last(SigningRule.CONTRACT, "", list(rulebook.contract.seats))


def _by_last(about: str, tier: str, seats: list[str]) -> dict[str, Any]:
    return {
        "about": about,
        "tier": tier,
        "seats": seats,
        "must_include": seats,
        "quorum": len(seats),
        "max_age_days": None,
        "blocking": [],
        "decided_by": SigningRule.BY_LAST,
    }


def write(rulebook: Rulebook) -> None:
    """Write the rules of a rulebook inside the act that publishes it."""
    SigningRule.objects.bulk_create(
        SigningRule(rulebook=rulebook, **rule) for rule in rules_of(rulebook.parsed)
    )


def write_missing() -> None:
    """Write missing rules of published rulebooks, for table owners after migrations."""
    without = [
        row for row in Rulebook.objects.published().filter(signing_rules__isnull=True) if _readable(row)
    ]
    if without:
        with acting(system="migrations", reason="Signing rules of published rulebooks, as rows"):
            for rulebook in without:
                write(rulebook)


def differing(using: str = "default") -> list[str]:
    """Return a sentence for each published rulebook whose rows differ from its text."""
    found = []
    published = Rulebook.objects.using(using).published().order_by("pk").prefetch_related("signing_rules")
    for rulebook in published:
        if not _readable(rulebook):
            continue
        written = [{name: getattr(row, name) for name in COMPARED} for row in rulebook.signing_rules.all()]
        if _sorted(written) != _sorted(rules_of(rulebook.parsed)):
            found.append(f"The signing rules of rulebook {rulebook.version} differ from its text.")
    return found


def _sorted(rules: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rules, key=lambda rule: (rule["about"], rule["tier"]))


def _readable(rulebook: Rulebook) -> bool:
    """Return True if this release can still read the text of an old rulebook."""
    try:
        return bool(rulebook.parsed)
    except RulebookErrors:
        return False
