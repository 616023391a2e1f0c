"""The sections of a post-mortem: what each asks, what it needs before it is handed in, and the mark of its words.

The template is blameless: it asks what made the mistake easy to make, never who made it. The retrospective after
go-live has the same sections with prompts of its own. Sources: S1-17.2, S1-18.2, S1-19.
"""

import hashlib
import json
from dataclasses import dataclass

from adoption.models import Attribution, Lesson, PostMortem
from adoption.models.postmortems import FOUND, SIDES, VOICES
from governance.vocabulary import Layer

CAUSES, LESSONS, GAPS = "causes", "lessons", "no_gaps_because"
# Fewer are no account: "n/a", "none", one letter in each field (S1-18.2).
FEWEST_WORDS, FEWEST_LETTERS = 3, 15


@dataclass(frozen=True)
class Section:
    """One section as it is asked: its name, its heading, the prompt below it, whether handing in needs it."""

    name: str
    heading: str
    prompt: str
    needed: bool = True


AFTER_AN_END = (
    Section(
        "expected",
        "What was expected",
        "As it was planned or promised then, before anybody knew how it would end.",
    ),
    Section("timeline", "What happened when", "Dates first, facts only: what was seen, decided and done."),
    Section("impact", "What it did", "To whom, for how long, at what cost. Say so too when there was none."),
    Section(
        "detected",
        "How it was noticed",
        "By whom or what, how long after it began, and what could have told sooner.",
    ),
    Section(
        "made_easy",
        "What made it easy to make",
        "Which gap, default, deadline or missing check? Anybody in the same place would have met it.",
    ),
    Section("went_well", "What went well", "What held, and should be kept.", needed=False),
    Section("lucky", "Where we were lucky", "What could as well have gone worse, and did not.", needed=False),
)
LOOKING_BACK = (
    Section(
        "expected", "What was expected at go-live", "The success criteria and targets as the board read them."
    ),
    Section(
        "timeline",
        "What has happened since",
        "Dates first: rollout, changes, incidents, what people did instead.",
    ),
    Section(
        "impact",
        "What is measured now against it",
        "Figures beside the targets, with their day and source; for whom.",
    ),
    Section(
        "detected",
        "How you know",
        "Which measurements, asked of whom, and what is not measured. No measurement is an answer too.",
    ),
    Section(
        "made_easy",
        "What made it harder or easier than expected",
        "Workflow, data, support, trust: what the plan did not have.",
    ),
    Section("went_well", "What works, and why", "What should other teams copy?"),
    Section("lucky", "Where we were lucky", "What held without having been made to hold.", needed=False),
)


def sections_of(post_mortem: PostMortem) -> tuple[Section, ...]:
    """The sections of text of this post-mortem, in their order."""
    return LOOKING_BACK if post_mortem.looks_back else AFTER_AN_END


def heading_of(post_mortem: PostMortem, name: str) -> str:
    """What a section is called on its page; "" stands for the whole."""
    others = {
        "": "All of it",
        CAUSES: "In which layer it lay",
        LESSONS: "What the next team should know",
        "no_lesson_because": "No lesson, because",
        GAPS: "What is still open",
    }
    return others.get(name) or next(one.heading for one in sections_of(post_mortem) if one.name == name)


def names_of(post_mortem: PostMortem) -> list[str]:
    """Every section somebody can comment on, in their order."""
    return [*(one.name for one in sections_of(post_mortem)), CAUSES, LESSONS, GAPS]


def lacking(post_mortem: PostMortem) -> dict[str, str]:
    """What a post-mortem still lacks before it can be handed in, by field; empty when nothing does."""
    wrong = {}
    for section in sections_of(post_mortem):
        text = getattr(post_mortem, section.name)
        if section.needed and not text:
            wrong[section.name] = f"{section.prompt} Nothing is written yet."
        elif text and too_short(text):
            wrong[section.name] = "This is too short to be understood by a team that never met yours."
    _said_twice(post_mortem, wrong)
    _causes_lacking(post_mortem, wrong)
    _lessons_lacking(post_mortem, wrong)
    _gaps_lacking(post_mortem, wrong)
    return wrong


def too_short(text: str) -> bool:
    """Whether this cannot be an account of anything: fewer than three words, or fifteen letters."""
    words = [word for word in text.split() if any(letter.isalpha() for letter in word)]
    return len(words) < FEWEST_WORDS or sum(map(str.isalnum, text)) < FEWEST_LETTERS


def _said_twice(post_mortem: PostMortem, wrong: dict[str, str]) -> None:
    seen: dict[str, str] = {}
    for section in sections_of(post_mortem):
        text = " ".join(getattr(post_mortem, section.name).casefold().split())
        if text and text in seen:
            wrong.setdefault(section.name, f"The same words stand under “{seen[text]}”.")
        seen.setdefault(text, section.heading)


def _causes_lacking(post_mortem: PostMortem, wrong: dict[str, str]) -> None:
    found = [row for row in causes(post_mortem) if row["said"] == FOUND]
    if not found:
        wrong[CAUSES] = "Choose the layer it was found to lie in, and say how you know."
    elif weak := [row for row in found if too_short(row["grounds"])]:
        wrong[CAUSES] = f"{Layer(weak[0]['layer']).label} layer: say how you know, in a sentence."


def _lessons_lacking(post_mortem: PostMortem, wrong: dict[str, str]) -> None:
    rows = list(post_mortem.lessons.current())
    reason = post_mortem.no_lesson_because
    if not rows and not reason:
        wrong[LESSONS] = "Write at least one lesson for the next team, or say why there is none."
    elif not rows and too_short(reason):
        wrong["no_lesson_because"] = "Say in a whole sentence why nothing can be learned from it."
    elif rows and reason:
        wrong["no_lesson_because"] = "There is a lesson: empty this, or take the lesson out."
    elif weak := [row for row in rows if too_short(row.text)]:
        wrong[LESSONS] = f"“{weak[0].text}” is too short for a team that never met yours."
    elif without := [row for row in rows if not row.instead or not row.pattern]:
        wrong[LESSONS] = f"“{without[0].text[:60]}”: say what to do instead, and choose what it is about."


def _gaps_lacking(post_mortem: PostMortem, wrong: dict[str, str]) -> None:
    gaps = list(post_mortem.initiative.gaps.filter(closed_at__isnull=True).select_related("owner"))
    left = [gap for gap in gaps if not gap.owner.is_active]
    reason = post_mortem.no_gaps_because
    if left:
        wrong[GAPS] = " ".join(
            f"{gap.owner} has left and owns an open gap: {gap.text[:80]} Close it, or open it anew with another owner."
            for gap in left
        )
    elif not gaps and not reason:
        wrong[GAPS] = "Record what is still open as a gap with owner and day, or say why there is none."
    elif not gaps and too_short(reason):
        wrong[GAPS] = "Say in a whole sentence why nothing is left open."


# --- What stands, and its marks ---------------------------------------------------------------------------------------


def causes(post_mortem: PostMortem) -> list[dict]:
    """The layers it is put down to, in order: side, said, layer, by_whom, grounds."""
    return [cause_of(row) for row in post_mortem.attributions.current()]


def cause_of(row: Attribution) -> dict:
    """One of them as plain words."""
    return {name: getattr(row, name) for name in ("side", "said", "layer", "by_whom", "grounds")}


def in_words(rows: list[dict]) -> str:
    """Attributions as a reader takes them in, one a line."""
    lines = []
    for row in rows:
        who = f" by {VOICES[row['by_whom']].lower()}" if row["by_whom"] else ""
        verb = (
            ("found" if row["said"] == FOUND else "assumed")
            if row["side"] == "failure"
            else ("found" if row["said"] == FOUND else "credited")
        )
        grounds = f": {row['grounds']}" if row["grounds"] else ""
        lines.append(f"{SIDES[row['side']]}: {verb}{who}, {Layer(row['layer']).label.lower()}{grounds}")
    return "\n".join(lines)


LESSON_FIELDS = ("text", "instead", "layer", "pattern", "tags", "systems", "vendors")


def lesson_of(row: Lesson) -> dict:
    """One lesson as plain words."""
    return {name: getattr(row, name) for name in LESSON_FIELDS}


def lesson_in_words(lesson: dict) -> str:
    """One lesson as a reader takes it in."""
    more = f"\nInstead: {lesson['instead']}" if lesson["instead"] else ""
    return f"{lesson['text']} ({Layer.word(lesson['layer']) or 'no layer'}){more}"


def mark(value) -> str:
    """What identifies the words of a section: two people who began from the same words began from the same mark."""
    return hashlib.sha256(json.dumps(value, ensure_ascii=False, sort_keys=True).encode()).hexdigest()[:16]


def plain(text: str) -> str:
    """Words as they are kept: line ends as one sign, nothing around them."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()
