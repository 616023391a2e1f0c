"""Entries of the record about rulebooks and their drafts in plain words; `words.sentence` looks them up here."""

from datetime import date

from governance.answers import ended
from governance.templatetags.plumbline import day


def _tried(facts, book) -> str:
    days = [day_of(one) for one in facts.get("decisions") or []]
    if days:
        return f"had decisions from {days[0]} to {days[1]} judged by rulebook {facts['version']}."
    return f"had worked out what rulebook {facts['version']} would do on {day_of(facts['day'])}."


def _published(facts, book) -> str:
    until = (
        f" What fell may be mended until {day_of(facts['grace_until'])}." if facts.get("grace_until") else ""
    )
    seen = "" if facts.get("forecast") else " Nobody had it worked out before."
    return f"put rulebook {facts['version']} in force, proposed by {facts['admin']}.{until}{seen}"


def day_of(words: str) -> str:
    """A day of an entry, as pages write it."""
    return day(date.fromisoformat(words))


SENTENCES = {
    "rulebook loaded": lambda f, b: f"loaded rulebook {f['version']}, as a draft that does not change.",
    "publication proposed": lambda f, b: f"proposed to publish rulebook {f['version']}.",
    "rulebook published": _published,
    "rulebook copied": lambda f, b: f"began a draft of rulebook {f['version']}, copied from {f['base']}.",
    "draft edited": lambda f, b: f"edited the draft of rulebook {f['version']}: {ended(f['said'])}",
    "draft loaded": lambda f, b: f"made the draft of rulebook {f['version']} a version.",
    "draft dropped": lambda f, b: f"dropped the draft of rulebook {f['version']}.",
    "rulebook tried": _tried,
}
