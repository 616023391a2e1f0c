"""Pairings of rulebook keys with judgements, standards, tolerances and questions."""

from pathlib import Path
from typing import Any

from governance.rulebook import validation
from governance.rulebook.schema import FIXED, Shape

# A standard shown by the day on which production was last accepted, which no requirement asks for.
REATTESTED = "re-attested"
_FOLDER = Path(__file__).parent


def read(text: str) -> dict[str, Any]:
    """Return the tables, checked against the rulebook as shipped. Raises RulebookErrors with lines."""
    rulebook = validation.checked((_FOLDER / "1_0.toml").read_text("utf-8"))
    requirements = [row["key"] for row in rulebook["requirement"]]
    requirements += [row["key"] for row in rulebook["criterion"] if "evidence" in row]
    known = {
        "requirement": requirements,
        "what shows it": [*requirements, REATTESTED],
        "layer": list(rulebook["layers"]),
        "declared goal": [item for row in rulebook["criterion"] for item in row.get("declared_goals", ())],
        "matter": list(rulebook["standards"]),
    }
    tolerated = [words for stage in rulebook["stages"].values() for words in stage.get("tolerated", ())]
    judgement = {
        "title": ("text", True, ""),
        "requirements": ("some", True, "requirement"),
        "layers": ("some", False, "layer"),
        "declared_goals": ("some", False, "declared goal"),
    }
    shape = Shape(
        top=dict.fromkeys(("judgements", "standards", "tolerances", "lead_questions"), ("table", True, "")),
        sections={"lead_questions": dict.fromkeys(FIXED["group"], ("text", False, ""))},
        groups={
            "judgements": (None, judgement),
            "standards": ("matter", dict.fromkeys(FIXED["open stage"], ("some", False, "what shows it"))),
            "tolerances": (None, dict.fromkeys(tolerated, ("text", False, "requirement"))),
        },
    )
    return validation.checked_beside(text, shape, known)


PAIRINGS = read((_FOLDER / "pairings.toml").read_text("utf-8"))
