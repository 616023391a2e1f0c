"""Entries of adoption in plain words, contributed to the wording of entries by `AppConfig.ready()`."""

from adoption.models.incidents import SEVERITIES
from adoption.models.monitoring import BECOMES
from adoption.models.reports import BEHAVIOUR_REPORT_KINDS, OUTCOMES
from governance.vocabulary.entry_kinds import EntryKind


def _goal(facts, rulebook) -> str:
    """Return target and baseline as the end of a sentence: "target 60 %, before 20 %"."""

    def said(text: str) -> str:
        value = float(text)
        return (
            f"{value * 100:.10g} %" if facts["unit"] == "share" else f"{value:.10g} {facts['unit']}".strip()
        )

    before = f", before {said(facts['baseline'])}" if facts["baseline"] else ""
    return f"target {said(facts['target'])}{before}"


def _came(facts, rulebook) -> str:
    new, corrected = facts["new"], facts["corrected"]
    said = [f"{new} measurement{'' if new == 1 else 's'}"] if new else []
    said += [f"{corrected} correction{'' if corrected == 1 else 's'}"] if corrected else []
    return f"{' and '.join(said)} of {facts['since']} to {facts['until']}"


# What these acts change waits, if for anybody, for people on the initiative and its board; surveys have their own page.
QUIET = {
    *(
        EntryKind.MEASURE_DECLARED,
        EntryKind.GOAL_MOVED,
        EntryKind.MEASURE_CLOSED,
        EntryKind.MEASUREMENTS_RECORDED,
        EntryKind.FIGURES_FILED,
    ),
    *(
        EntryKind.SURVEY_WRITTEN,
        EntryKind.SURVEY_OPENED,
        EntryKind.SURVEY_LINKS_REPLACED,
        EntryKind.SURVEY_CLOSED,
        EntryKind.SURVEY_COMMENT_REMOVED,
    ),
}
# Further ways of `initiatives.lifecycle.activity.entry_wording`.
WAYS = {
    "goal": _goal,
    "came": _came,
    "invited": lambda teams, rulebook: str(sum(team["invited"] for team in teams)),
    "answers": lambda teams, rulebook: str(sum(team["answered"] for team in teams)),
    "behaviour": lambda key, rulebook: BEHAVIOUR_REPORT_KINDS.get(key, key).lower(),
    "outcome": lambda key, rulebook: OUTCOMES[key],
    "severity": lambda key, rulebook: SEVERITIES[key],
    "becomes": lambda key, rulebook: f"{BECOMES[key][:1].lower()}{BECOMES[key][1:]}",
}

SENTENCES = {
    EntryKind.MEASURE_DECLARED: "declared a measure: {words}, {all:goal}.",
    EntryKind.GOAL_MOVED: "changed the goal of {words}: {all:goal}. {why}",
    EntryKind.MEASURE_CLOSED: "closed the measure {words}: {why}",
    EntryKind.MEASUREMENTS_RECORDED: "sent {all:came}< from {source}>.",
    EntryKind.FIGURES_FILED: "filed the measurements until {until} as evidence: {result}.",
    EntryKind.LESSON_ANSWERED: (
        "answered the lesson “{text}”, which <{applies?}applies|does not apply>: {words}"
    ),
    EntryKind.LESSON_ENTERED: "entered a lesson from outside ({source}): “{text}”",
    EntryKind.LESSON_CONFIRMED: "confirmed a lesson from outside for the library: “{text}”",
    EntryKind.LESSON_TAKEN_OUT: "removed a lesson from the library: {why}",
    EntryKind.LESSON_CAME_AGAIN: (
        "<{known?}recorded that the problem of an earlier lesson happened again: “{text}”|withdrew that "
        "the problem of an earlier lesson happened again.>"
    ),
    EntryKind.POST_MORTEM_STARTED: "started the post-mortem.",
    EntryKind.POST_MORTEM_WRITTEN: "continued the post-mortem.",
    EntryKind.POST_MORTEM_HANDED_IN: "handed in the post-mortem for confirmation by the adoption seat.",
    EntryKind.POST_MORTEM_CONFIRMED: (
        "confirmed the post-mortem<{no_lesson?}, and that it has no lesson for others><: {note}|.>"
    ),
    EntryKind.POST_MORTEM_COMMENTED: "commented on “{section}”: {text}",
    EntryKind.POST_MORTEM_COMMENT_RESOLVED: "resolved a comment on the post-mortem: {text}",
    EntryKind.GAP_LINKED: "linked a gap in the post-mortem: {text}",
    EntryKind.ATTACHED: "attached “{title}” to the post-mortem.",
    EntryKind.ATTACHMENT_TAKEN_OUT: "removed “{title}” from the post-mortem: {why}",
    EntryKind.ATTACHMENT_FILE_MISSING: "found that the file of “{title}” is missing from storage.",
    EntryKind.ATTACHMENT_FILE_CHANGED: "found that storage has a different file for “{title}”.",
    EntryKind.ATTACHMENT_FILE_FOUND: "found the file of “{title}” in storage again.",
    EntryKind.ATTACHMENT_OPENED: "opened “{title}”, attached to the post-mortem.",
    EntryKind.POST_MORTEM_SENT_BACK: "sent the post-mortem back: {why}",
    EntryKind.SURVEY_WRITTEN: "wrote the survey “{title}”.",
    EntryKind.SURVEY_OPENED: "opened the survey “{title}” for {teams:invited} people.",
    EntryKind.SURVEY_LINKS_REPLACED: "made new links for the survey “{title}”.",
    EntryKind.SURVEY_CLOSED: (
        "closed the survey “{title}”: {teams:answers} of {teams:invited} answered<{results?}|, "
        "too few for a result>."
    ),
    EntryKind.SURVEY_COMMENT_REMOVED: "removed a comment from a survey: {why}",
    EntryKind.REPORT_RECEIVED: "received a {what}: {title}.",
    EntryKind.REPORT_JUDGED: "judged a {what}, “{title}”: {became:outcome}<{into?}, “{into}”>. {words}",
    EntryKind.BEHAVIOUR_REPORT_COMPUTED: (
        "computed a behaviour report from measurements: {group}, {report_kind:behaviour}."
    ),
    EntryKind.BEHAVIOUR_REPORT_MOVED: "computed a behaviour report again: {group}, {words}",
    EntryKind.BEHAVIOUR_REPORT_ENDED: "noted that a behaviour of {group} has ended ({report_kind:behaviour}): {why}",
    EntryKind.ASKED_WHO_REPORTED: "asked who made a report. The reporter was notified.",
    EntryKind.PROBLEM_LINK_OPENED: "made a link for problem reports by users.",
    EntryKind.PROBLEM_LINK_RENEWED: "made a new link for problem reports by users.",
    EntryKind.PROBLEM_LINK_CLOSED: "switched off the link for problem reports by users.",
    EntryKind.MONITORING_PROMISED: "set the expected interval of monitoring data to {every_days} days.",
    EntryKind.ALERTS_MAPPED: "set the meaning of alerts ({which}): {becomes:becomes}.",
    EntryKind.ALERT_MAPPING_CLOSED: "withdrew the meaning of alerts ({which}): {becomes:becomes}.",
    EntryKind.INCIDENT_OPENED: "opened the incident “{title}”, severity {severity:severity}.",
    EntryKind.INCIDENT_LINE_WRITTEN: "wrote in the timeline of “{title}”: {words}",
    EntryKind.INCIDENT_PART_TAKEN: "named {who} as {role} of “{title}”.",
    EntryKind.INCIDENT_CONTAINED: "marked “{title}” as contained.",
    EntryKind.INCIDENT_RESOLVED: "marked “{title}” as resolved.",
    EntryKind.INCIDENT_AMENDED: "corrected the facts of “{title}”.",
    EntryKind.INCIDENT_CLOSED: "closed the incident “{title}”: {words}",
    EntryKind.INCIDENT_REOPENED: "reopened “{title}”: {why}",
    EntryKind.INCIDENT_SEVERITY_CORRECTED: "corrected the severity of “{title}” from {before} to {severity}: {why}",
    EntryKind.INCIDENTS_MERGED: "marked “{title}” as a duplicate of “{into}”: {why}",
    EntryKind.DEPENDANTS_WARNED: "warned the dependants: {who:list}.",
    EntryKind.BOARD_TOLD: "notified the whole board of “{title}”.",
    EntryKind.EDGE_CLAUSE_TAKEN_OVER: (
        "copied clause {clause} from “{title}” into the contract draft: {sentence}"
    ),
    EntryKind.REPORTING_DUTIES_LAID_OUT: "added templates of reporting duties: {names:names}.",
    EntryKind.REPORTING_DUTY_ADDED: "added a reporting duty: {name}, {days} days.",
    EntryKind.REPORTING_CLOCK_STARTED: "started a reporting deadline for “{title}”: {duty}, by {due:day}.",
    EntryKind.REPORTING_DEADLINE_MET: "recorded the report to an authority of “{title}” ({duty}): {words}",
    EntryKind.NO_REPORTING_DUTY: "judged that “{title}” need not be reported to an authority: {why}",
    EntryKind.MEETING_PLANNED: "planned the meeting of {board} on {held_on:day}.",
    EntryKind.MEETING_CHANGED: "changed day, place or secretary of the meeting of {board} on {held_on:day}.",
    EntryKind.AGENDA_POINT_ADDED: "added an item to the agenda of {board}: {words}.",
    EntryKind.AGENDA_POINT_LEFT_OUT: "left an item out of the meeting of {board} on {held_on:day}: {why}",
    EntryKind.AGENDA_POINT_PUT_BACK: "put an item back on the agenda of the meeting of {board} on {held_on:day}.",
    EntryKind.AGENDA_POINT_PLACED: "moved an item to place {place} in the meeting of {board} on {held_on:day}: {why}",
    EntryKind.MEETING_BEGUN: "started the meeting of {board} on {held_on:day}.",
    EntryKind.ATTENDANCE_WRITTEN: "noted the attendance at the meeting of {board}: {there}.",
    EntryKind.MINUTES_WRITTEN: "wrote minutes of the meeting of {board} on {held_on:day}, version {version}.",
    EntryKind.MEETING_CLOSED: "closed the meeting of {board} on {held_on:day}.",
    EntryKind.MEETING_CALLED_OFF: "cancelled the meeting of {board} on {held_on:day}: {why}",
    EntryKind.AUDIT_LOG_EXPORT_ASKED: (
        "requested an export of the audit log of {of}<{with_files?}, with the evidence files>."
    ),
    EntryKind.AUDIT_LOG_EXPORT_TAKEN: "downloaded the export of the audit log of {of} (SHA-256 {sha256}).",
    EntryKind.AUDIT_LOG_EXPORT_ERASED: "erased the file of the export of the audit log of {of}.",
    EntryKind.PACK_TAKEN: (
        "downloaded the board pack of {board} for {held_on:day}, {initiatives:len} initiatives "
        "(SHA-256 {sha256})."
    ),
}
