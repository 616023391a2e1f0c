"""Entries of adoption in plain words, contributed to the wording of entries by `AppConfig.ready()`."""

from adoption.models.incidents import SEVERITIES
from adoption.models.problems import PROBLEM_STATES
from adoption.models.signals import SIGNAL_KINDS


def _goal(facts, book) -> str:
    """Target and baseline as a sentence's end: "target 60 %, before 20 %"."""

    def said(text: str) -> str:
        value = float(text)
        return (
            f"{value * 100:.10g} %" if facts["unit"] == "share" else f"{value:.10g} {facts['unit']}".strip()
        )

    before = f", before {said(facts['baseline'])}" if facts["baseline"] else ""
    return f"target {said(facts['target'])}{before}"


def _came(facts, book) -> str:
    new, corrected = facts["new"], facts["corrected"]
    said = [f"{new} reading{'' if new == 1 else 's'}"] if new else []
    said += [f"{corrected} correction{'' if corrected == 1 else 's'}"] if corrected else []
    return f"{' and '.join(said)} of {facts['since']} to {facts['until']}"


# What these acts change waits, if for anybody, for people on the case and its board; pulses have their own page.
QUIET = {
    *("measure declared", "goal moved", "measure ended", "readings recorded", "figures filed"),
    *("pulse written", "pulse opened", "pulse links replaced", "pulse closed", "pulse comment removed"),
}
# Further ways of `initiatives.history.entry_wording`.
WAYS = {
    "goal": _goal,
    "came": _came,
    "invited": lambda teams, book: str(sum(team["invited"] for team in teams)),
    "answers": lambda teams, book: str(sum(team["answered"] for team in teams)),
    "signal": lambda key, book: SIGNAL_KINDS.get(key, key).lower(),
    "problem": lambda key, book: PROBLEM_STATES[key].lower(),
    "severity": lambda key, book: SEVERITIES[key],
}

SENTENCES = {
    "measure declared": "declared a measure: {words}; {all:goal}.",
    "goal moved": "moved the goal of {words}: {all:goal}. {why}",
    "measure ended": "ended the measure {words}: {why}",
    "readings recorded": "sent {all:came}< from {source}>.",
    "figures filed": "filed what its readings show until {until} as evidence: {result}.",
    "lesson answered": (
        "answered a lesson, which <{applies?}applies|does not apply>: {words} (the lesson: “{text}”)"
    ),
    "lesson entered": "entered a lesson from outside ({source}): “{text}”",
    "lesson confirmed": "let a lesson from outside into the library: “{text}”",
    "lesson taken out": "took a lesson out of the library: {why}",
    "lesson came again": (
        "<{known?}said that a lesson which was known here came again: “{text}”|took back that a known "
        "lesson came again.>"
    ),
    "post-mortem started": "began to write the post-mortem.",
    "post-mortem written": "went on writing the post-mortem.",
    "post-mortem published": "published the post-mortem; the adoption seat confirms it.",
    "post-mortem handed in": "handed the post-mortem in; the adoption seat confirms it.",
    "post-mortem confirmed": (
        "confirmed the post-mortem<{no_lesson?}, and that nothing can be learned from it for others><: "
        "{note}|.>"
    ),
    "post-mortem commented": "commented on “{section}”: {text}",
    "post-mortem comment settled": "settled a comment on the post-mortem: {text}",
    "gap linked": "named in the post-mortem what is still open: {text}",
    "attached": "attached “{title}” to the post-mortem.",
    "attachment taken out": "took “{title}” out of the post-mortem: {why}",
    "attachment file missing": "found the file of “{title}” gone from storage.",
    "attachment file changed": "found another file in the place of “{title}”.",
    "attachment file found": "found the file of “{title}” back in its place.",
    "attachment opened": "opened “{title}”, attached to the post-mortem.",
    "post-mortem sent back": "sent the post-mortem back: {why}",
    "pulse written": "wrote the pulse “{title}”.",
    "pulse opened": "opened the pulse “{title}” for {teams:invited} people.",
    "pulse links replaced": "made the links of the pulse “{title}” anew.",
    "pulse closed": (
        "closed the pulse “{title}”: {teams:answers} of {teams:invited} answered<{results?}|, too few to "
        "say anything>."
    ),
    "pulse comment removed": "took a comment out of a pulse: {why}",
    "signal reported": "took down what somebody reported without a name: {group}, {signal_kind:signal}.",
    "signal computed": "worked out a signal from readings: {group}, {signal_kind:signal}.",
    "signal moved": "worked out a signal anew: {group}, {words}",
    "signal answered": "answered for the board on {group}: {words}<{over?} It is no longer so.>",
    "signal ended": "said that it is no longer so of {group} ({signal_kind:signal}): {why}",
    "asked who reported": "asked who reported something; whoever it was has been told.",
    "problem link opened": "made an address at which users report problems.",
    "problem link renewed": "made another address at which users report problems.",
    "problem link closed": "switched off the address at which users report problems.",
    "problem reported": "took down a problem that a user reported: {words}",
    "problem treated": "treated a problem that a user reported ({became:problem}): {words}",
    "incident opened": "opened the incident “{title}”, severity {severity:severity}.",
    "incident line written": "wrote on “{title}”: {words}",
    "incident part taken": "noted that {who} is the {role} of “{title}”.",
    "incident contained": "said that “{title}” is contained.",
    "incident resolved": "said that “{title}” is resolved.",
    "incident amended": "put right what is known of “{title}”.",
    "incident closed": "closed the incident “{title}”: {words}",
    "incident reopened": "opened “{title}” again: {why}",
    "incident severity corrected": "corrected “{title}” from severity {before} to {severity}: {why}",
    "incidents merged": "said that “{title}” is the same as “{into}”: {why}",
    "dependants warned": "warned those who depend on it: {who:list}.",
    "board told": "had the whole board told of “{title}”.",
    "edge clause taken over": (
        "took clause {clause} from “{title}” into the draft of the contract: {sentence}"
    ),
    "reporting duties laid out": "laid out reporting duties: {names:names}.",
    "reporting duty added": "added a reporting duty: {name}, {days} days.",
    "reporting clock started": "started a reporting clock on “{title}”: {duty}, by {due:day}.",
    "reporting deadline met": "said what was reported of “{title}” ({duty}): {words}",
    "no reporting duty": "judged that “{title}” need not be reported to an authority: {why}",
    "meeting planned": "planned the meeting of {board} on {held_on:day}.",
    "meeting changed": "changed day, place or secretary: the meeting of {board} on {held_on:day}.",
    "agenda point added": "put a point on the agenda of {board}: {words}.",
    "agenda point left out": "left it out of the meeting of {board} on {held_on:day}: {why}",
    "agenda point put back": "put it on the agenda of the meeting of {board} on {held_on:day} again.",
    "agenda point placed": "put it at place {place} of the meeting of {board} on {held_on:day}: {why}",
    "meeting begun": "began the meeting of {board} on {held_on:day}.",
    "attendance written": "noted who was at the meeting of {board}: {there}.",
    "minutes written": "wrote minutes at the meeting of {board} on {held_on:day}, version {version}.",
    "meeting closed": "closed the meeting of {board} on {held_on:day}.",
    "meeting called off": "called off the meeting of {board} on {held_on:day}: {why}",
    "pack taken": (
        "took the pack of the meeting of {board} on {held_on:day}, {cases:len} cases; its SHA-256 is "
        "{sha256}."
    ),
}
