"""Terms within which a law wants serious incidents reported, as templates to start from. No legal advice.

In words of our own, with the place they were read from; admins lay them out, change them and add others.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Template:
    """What a law asks, for whom, from where: `days` count from the day on which one became aware."""

    name: str
    days: int
    applies: str
    source: str


AI_ACT = "Regulation (EU) 2024/1689 (AI Act), Article 73"
TEMPLATES = (
    Template(
        "EU AI Act: widespread, or critical infrastructure",
        2,
        "High-risk systems: an infringement in several member states, or a serious and irreversible disruption of "
        "critical infrastructure. At once, and at the latest by this day.",
        f"{AI_ACT}(3), with Article 3(49)(b) and 3(61)",
    ),
    Template(
        "EU AI Act: death of a person",
        10,
        "High-risk systems: as soon as a link between the system and the death is established or suspected, at the "
        "latest by this day.",
        f"{AI_ACT}(4)",
    ),
    Template(
        "EU AI Act: any other serious incident",
        15,
        "High-risk systems: harm to health, fundamental rights, property or the environment. At once when the link to "
        "the system is established or reasonably likely, at the latest by this day.",
        f"{AI_ACT}(2), with Article 3(49)",
    ),
)
