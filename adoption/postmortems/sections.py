"""The sections of a post-mortem: prompts, needs for handing in, marks.

The template is blameless: it asks what made the mistake easy to make, never who made it. The retrospective after
go-live has the same sections with different prompts. Sources: S1-17.2, S1-18.2, S1-19.
"""

import hashlib
import json
from dataclasses import dataclass

from adoption.models import Attribution, Lesson, PostMortem
from adoption.models.postmortems import FOUND, SIDES, VOICES
from governance.vocabulary import Layer
from governance.vocabulary.phrases import label, phrase

CAUSES, LESSONS, GAPS = "causes", "lessons", "no_gaps_because"
# Fewer are no account: "n/a", "none", one letter in each field (S1-18.2).
FEWEST_WORDS, FEWEST_LETTERS = 3, 15


@dataclass(frozen=True)
class Section:
    """One section: name, heading, prompt, and whether handing in needs it."""

    name: str
    heading: str
    prompt: str
    needed: bool = True


AFTER_AN_END = (
    Section(
        "expected",
        "Expectations",
        phrase("Describe the plan or promise at that time, before anyone knew the result."),
    ),
    Section(
        "timeline",
        "Timeline",
        phrase("Start each line with its date. Write only facts: what people saw, decided and did."),
    ),
    Section(
        "impact",
        "Impact",
        phrase("Enter the people affected, the duration and the cost. If nothing was affected, write that."),
    ),
    Section(
        "detected",
        "Detection",
        phrase(
            "Name who or what noticed the problem, how long after its start, and what could have shown it sooner."
        ),
    ),
    Section(
        "made_easy",
        "Contributing conditions",
        phrase("Name the gap, default, deadline or missing check that made the problem possible for anyone."),
    ),
    Section("went_well", "Successes", phrase("Describe what worked and should stay."), needed=False),
    Section("lucky", "Luck", phrase("Describe what could have gone worse, but did not."), needed=False),
)
LOOKING_BACK = (
    Section(
        "expected",
        phrase("Expectations at go-live"),
        phrase("Enter the success criteria and the targets that the board read."),
    ),
    Section(
        "timeline",
        phrase("Timeline since go-live"),
        phrase("Start each line with its date: rollout, changes, incidents, and what people did instead."),
    ),
    Section(
        "impact",
        phrase("Results against the targets"),
        phrase("Enter each figure beside its target, with date, source and group."),
    ),
    Section(
        "detected",
        phrase("Sources of these figures"),
        phrase(
            "Name the measurements and the people asked, and what is not measured. If nothing was measured, write that."
        ),
    ),
    Section(
        "made_easy",
        phrase("Difficulties and help"),
        phrase("Describe what the plan did not include about workflow, data, support and trust."),
    ),
    Section("went_well", phrase("Successes and their reasons"), phrase("What should other teams copy?")),
    Section(
        "lucky", "Luck", phrase("Describe what worked although no one had planned for it."), needed=False
    ),
)


def sections_of(post_mortem: PostMortem) -> tuple[Section, ...]:
    """Return the sections of text of this post-mortem, in their order."""
    return LOOKING_BACK if post_mortem.looks_back else AFTER_AN_END


def heading_of(post_mortem: PostMortem, name: str) -> str:
    """Return the heading of a section on its page. The name "" is the whole."""
    others = {
        "": "Whole post-mortem",
        CAUSES: phrase("Causes by layer"),
        LESSONS: phrase("Lessons for the next team"),
        "no_lesson_because": phrase("Reason for no lesson"),
        GAPS: "Open gaps",
    }
    return others.get(name) or next(one.heading for one in sections_of(post_mortem) if one.name == name)


def names_of(post_mortem: PostMortem) -> list[str]:
    """Return every section that can have comments, in their order."""
    return [*(one.name for one in sections_of(post_mortem)), CAUSES, LESSONS, GAPS]


def lacking(post_mortem: PostMortem) -> dict[str, str]:
    """Return what a post-mortem lacks for handing in, by field, empty if complete."""
    wrong = {}
    for section in sections_of(post_mortem):
        text = getattr(post_mortem, section.name)
        if section.needed and not text:
            wrong[section.name] = phrase("{} This section is empty.", section.prompt)
        elif text and too_short(text):
            wrong[section.name] = phrase(
                "This section is too short. A team that does not know yours must understand it. Write more."
            )
    _said_twice(post_mortem, wrong)
    _causes_lacking(post_mortem, wrong)
    _lessons_lacking(post_mortem, wrong)
    _gaps_lacking(post_mortem, wrong)
    return wrong


def too_short(text: str) -> bool:
    """Return True if a text is too short: fewer than three words, or fifteen letters."""
    words = [word for word in text.split() if any(letter.isalpha() for letter in word)]
    return len(words) < FEWEST_WORDS or sum(map(str.isalnum, text)) < FEWEST_LETTERS


def _said_twice(post_mortem: PostMortem, wrong: dict[str, str]) -> None:
    seen: dict[str, str] = {}
    for section in sections_of(post_mortem):
        text = " ".join(getattr(post_mortem, section.name).casefold().split())
        if text and text in seen:
            wrong.setdefault(
                section.name,
                phrase("The section “{}” has the same text. Write a different text here.", seen[text]),
            )
        seen.setdefault(text, section.heading)


def _causes_lacking(post_mortem: PostMortem, wrong: dict[str, str]) -> None:
    found = [row for row in causes(post_mortem) if row["said"] == FOUND]
    if not found:
        wrong[CAUSES] = phrase(
            "Choose the layer with the cause, and explain why you think that the cause is in this layer."
        )
    elif weak := [row for row in found if too_short(row["grounds"])]:
        wrong[CAUSES] = phrase(
            "{} layer: explain in one sentence why you think that the cause is in this layer.",
            label(Layer(weak[0]["layer"]).label),
        )


def _lessons_lacking(post_mortem: PostMortem, wrong: dict[str, str]) -> None:
    rows = list(post_mortem.lessons.current())
    reason = post_mortem.no_lesson_because
    if not rows and not reason:
        wrong[LESSONS] = phrase(
            "Write at least one lesson for the next team, or give a reason why there is none."
        )
    elif not rows and too_short(reason):
        wrong["no_lesson_because"] = phrase("Give the reason in a whole sentence.")
    elif rows and reason:
        wrong["no_lesson_because"] = phrase(
            "The post-mortem has a lesson. Clear this field, or remove the lesson."
        )
    elif weak := [row for row in rows if too_short(row.text)]:
        wrong[LESSONS] = phrase(
            "The lesson “{}” is too short. A team that does not know yours must understand it. Write more.",
            weak[0].text,
        )
    elif without := [row for row in rows if not row.instead or not row.pattern]:
        wrong[LESSONS] = phrase(
            "Lesson “{}”: enter a better alternative, and choose the kind of problem.", without[0].text[:60]
        )


def _gaps_lacking(post_mortem: PostMortem, wrong: dict[str, str]) -> None:
    gaps = list(post_mortem.initiative.gaps.filter(closed_at__isnull=True).select_related("owner"))
    left = [gap for gap in gaps if not gap.owner.is_active]
    reason = post_mortem.no_gaps_because
    if left:
        wrong[GAPS] = " ".join(
            (
                f"{gap.owner} has left and owns an open gap: {gap.text[:80]} Close the gap, or record it "
                "again with a different owner."
            )
            for gap in left
        )
    elif not gaps and not reason:
        wrong[GAPS] = phrase(
            "Record each open problem as a gap with owner and date, or give a reason why there is none."
        )
    elif not gaps and too_short(reason):
        wrong[GAPS] = phrase("Give the reason in a whole sentence.")


# --- Current words and their marks ------------------------------------------------------------------------------------


def causes(post_mortem: PostMortem) -> list[dict]:
    """Return its attributions in order: side, said, layer, by_whom, grounds."""
    return [cause_of(row) for row in post_mortem.attributions.current()]


def cause_of(row: Attribution) -> dict:
    """Return one attribution as plain words."""
    return {name: getattr(row, name) for name in ("side", "said", "layer", "by_whom", "grounds")}


def in_words(rows: list[dict]) -> str:
    """Return attributions in words for readers, one a line."""
    lines = []
    for row in rows:
        who = phrase(" by {}", VOICES[row["by_whom"]].lower()) if row["by_whom"] else ""
        verb = (
            ("found" if row["said"] == FOUND else "assumed")
            if row["side"] == "failure"
            else ("found" if row["said"] == FOUND else "credited")
        )
        grounds = f": {row['grounds']}" if row["grounds"] else ""
        lines.append(
            phrase(
                "{}: {}{}, {}{}",
                SIDES[row["side"]],
                verb,
                who,
                label(Layer(row["layer"]).label, inside=True),
                grounds,
            )
        )
    return "\n".join(lines)


LESSON_FIELDS = ("text", "instead", "layer", "pattern", "tags", "systems", "vendors")


def lesson_of(row: Lesson) -> dict:
    """Return one lesson as plain words."""
    return {name: getattr(row, name) for name in LESSON_FIELDS}


def lesson_in_words(lesson: dict) -> str:
    """Return one lesson in words for readers."""
    more = f"\nInstead: {lesson['instead']}" if lesson["instead"] else ""
    return phrase("{} ({}){}", lesson["text"], Layer.word(lesson["layer"]) or "no layer", more)


def mark(value) -> str:
    """Return the mark of a section's words. The same words have the same mark."""
    return hashlib.sha256(json.dumps(value, ensure_ascii=False, sort_keys=True).encode()).hexdigest()[:16]


def plain(text: str) -> str:
    """Return words as they are kept: one sign for line ends, no surrounding space."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()
