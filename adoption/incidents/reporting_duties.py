"""Templates of legal terms for reporting serious incidents.

They are not legal advice. The words are our summary, and each template names its source. Admins add, change and extend
the templates.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Template:
    """The demand of a law, the incidents it applies to, and its source. `days` count from the day of awareness."""

    name: str
    days: int
    applies: str
    source: str


AI_ACT = "Regulation (EU) 2024/1689 (AI Act), Article 73"
TEMPLATES = (
    Template(
        "EU AI Act: widespread, or critical infrastructure",
        2,
        "High-risk systems: an infringement in several member states, or a serious and "
        "irreversible disruption of critical infrastructure. Report at once, and at the latest by "
        "this day.",
        f"{AI_ACT}(3), with Article 3(49)(b) and 3(61)",
    ),
    Template(
        "EU AI Act: death of a person",
        10,
        "High-risk systems: as soon as a link between the system and the death is established or "
        "suspected, and at the latest by this day.",
        f"{AI_ACT}(4)",
    ),
    Template(
        "EU AI Act: any other serious incident",
        15,
        "High-risk systems: harm to health, fundamental rights, property or the environment. "
        "Report at once when the link to the system is established or reasonably likely, and at "
        "the latest by this day.",
        f"{AI_ACT}(2), with Article 3(49)",
    ),
)
