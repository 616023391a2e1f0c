"""The admin of what came of the cases: to be read there; written on its own pages, through actions."""

from django.contrib import admin

from adoption.incidents import reporting_clocks
from adoption.models import (
    AgendaPoint,
    Alert,
    AlertMapping,
    Attachment,
    Attendance,
    Attribution,
    Deadline,
    Goal,
    Incident,
    IncidentDraft,
    IncidentLine,
    IncidentSystem,
    Lesson,
    LessonResponse,
    LessonWords,
    LinkedGap,
    Measure,
    Meeting,
    Minutes,
    MonitoringLook,
    MonitoringPromise,
    Pack,
    PostMortem,
    ProblemLink,
    ProblemReport,
    PublicPage,
    Pulse,
    Reading,
    RecordExport,
    ReportingDuty,
    SectionComment,
    Signal,
    SourceQuestion,
)
from governance.web.admin_base import Recorded, read_only

read_only(
    PostMortem,
    ("learned", "Post-mortems"),
    list_display=("initiative", "obligation", "state", "author", "handed_in_at", "published_at"),
    list_filter=("state", "obligation__kind"),
    list_select_related=("initiative", "obligation", "author"),
    search_fields=("initiative__title", *PostMortem.TEXTS),
    date_hierarchy="published_at",
)

read_only(
    Attribution,
    "learned",
    list_display=("layer", "side", "said", "by_whom", "place", "post_mortem", "removed_at"),
    list_filter=("side", "said", "layer", "by_whom"),
    list_select_related=("post_mortem__initiative",),
    search_fields=("grounds", "post_mortem__initiative__title"),
)

read_only(
    Measure,
    "learned",
    list_display=(
        "initiative",
        "words",
        "instrument",
        "population",
        "declared_by",
        "declared_at",
        "ended_at",
    ),
    list_filter=("instrument", "requirement"),
    list_select_related=("initiative", "declared_by"),
    search_fields=("initiative__title", "words", "population", "source"),
    date_hierarchy="declared_at",
)

read_only(
    Goal,
    "learned",
    list_display=("measure", "number", "target", "baseline", "intended", "by", "at", "reason"),
    list_filter=("measure__instrument",),
    list_select_related=("measure", "by"),
    search_fields=("measure__words", "reason"),
)

read_only(
    Reading,
    "learned",
    list_display=(
        "measure",
        "starts_on",
        "ends_on",
        "team",
        "about",
        "hits",
        "value",
        "sd",
        "n",
        "came",
        "at",
    ),
    list_filter=("came", "about", "measure__instrument"),
    list_select_related=("measure",),
    search_fields=("measure__words", "team", "key", "source"),
    show_full_result_count=False,
)

read_only(
    Lesson,
    "learned",
    list_display=("text", "layer", "pattern", "post_mortem", "source", "repeats", "removed_at"),
    list_filter=("layer", "pattern"),
    list_select_related=("post_mortem__initiative", "repeats"),
    search_fields=("text", "instead", "tags", "vendors", "source", "post_mortem__initiative__title"),
)

read_only(
    LinkedGap,
    "learned",
    list_display=("gap", "post_mortem"),
    list_filter=("gap__closed_at",),
    list_select_related=("gap", "post_mortem__initiative"),
    search_fields=("gap__text", "post_mortem__initiative__title"),
)

read_only(
    SectionComment,
    "learned",
    list_display=("text", "section", "by", "at", "settled_at"),
    list_filter=("section", "settled_at"),
    list_select_related=("by",),
    search_fields=("text", "post_mortem__initiative__title"),
)

read_only(
    Attachment,
    "learned",
    list_display=("title", "file_name", "sha256", "by", "at", "removed_at"),
    list_filter=("content_type", "removed_at"),
    list_select_related=("by",),
    search_fields=("title", "file_name", "sha256", "post_mortem__initiative__title"),
)

read_only(
    Pulse,
    ("learned", "Surveys"),
    list_display=("title", "initiative", "state", "closes", "opened_at", "closed_at"),
    list_filter=("state", "language"),
    list_select_related=("initiative",),
    search_fields=("title", "initiative__title"),
    date_hierarchy="closes",
)

read_only(
    RecordExport,
    ("record", "Exports"),
    list_display=("of_words", "state", "with_files", "by", "asked_at", "until", "taken_at"),
    list_filter=("state", "with_files"),
    list_select_related=("initiative", "by"),
    search_fields=("initiative__title", "by__full_name"),
)


def _of_case(model, words, columns, filters=(), search=()) -> None:
    read_only(
        model,
        ("used", words),
        list_display=("initiative", *columns),
        list_filter=filters,
        search_fields=("initiative__title", *search),
    )


_of_case(
    Signal,
    "Behaviour reports",
    ("kind", "group", "extent", "share", "computed", "observed_on", "answered_by", "ended_at"),
    ("kind", "extent", "computed", "source", "ended_at"),
    ("group", "words", "answer"),
)
_of_case(
    SourceQuestion, "Questions for a source", ("by", "at", "reason"), ("at",), ("reason", "by__full_name")
)
_of_case(
    Incident,
    "Incidents",
    ("title", "severity", "state", "started_at", "resolved_at", "lead", "merged_into"),
    ("severity", "state", "wrong_output", "fallback"),
    ("title", "words", "closed_words"),
)
_of_case(
    ProblemLink,
    "Links for problems",
    ("made_by", "made_at", "ended_at"),
    ("ended_at",),
    ("made_by__full_name",),
)
_of_case(
    MonitoringPromise,
    "Promises of monitoring",
    ("every_days", "made_by", "made_at", "ended_at"),
    ("ended_at",),
    ("made_by__full_name",),
)
_of_case(
    AlertMapping,
    "What alerts count as",
    ("rule", "severity", "becomes", "made_by", "made_at", "ended_at"),
    ("becomes", "ended_at"),
    ("rule", "severity"),
)
_of_case(
    MonitoringLook, "Days on which monitoring was heard of", ("key", "day", "at"), ("day",), ("key__system",)
)
_of_case(
    IncidentDraft,
    "Drafts of incidents",
    ("title", "rule", "severity", "state", "opened_at", "treated_by", "incident"),
    ("state",),
    ("title", "rule", "words"),
)
_of_case(
    Alert,
    "Alerts",
    ("summary", "rule", "severity", "sender", "started_at", "ended_at", "counts_as", "draft"),
    ("sender", "counts_as"),
    ("rule", "summary", "fingerprint"),
)
_of_case(
    PublicPage,
    "Public pages",
    ("purpose", "made_by", "made_at", "ended_by", "ended_at"),
    ("ended_at",),
    ("purpose", "made_by__full_name"),
)
_of_case(
    ProblemReport,
    "Reported problems",
    ("what", "harm", "state", "reported_on", "treated_by", "signal", "incident"),
    ("state", "harm"),
    ("what", "output", "answer"),
)
read_only(
    IncidentLine,
    ("used", "Timelines of incidents"),
    list_display=("incident", "happened_at", "words", "by", "at"),
    list_filter=("incident__severity",),
    search_fields=("words", "incident__title"),
)
read_only(
    IncidentSystem,
    ("used", "Systems of incidents"),
    list_display=("incident", "system", "at"),
    list_filter=("incident__severity",),
    search_fields=("incident__title", "system__name"),
)
read_only(
    Deadline,
    ("used", "Reporting clocks"),
    list_display=("incident", "words", "aware_on", "due", "met_at", "met_by"),
    list_filter=("duty", "met_at"),
    search_fields=("incident__title", "words", "met_words"),
)


@admin.register(ReportingDuty)
class ReportingDutyAdmin(Recorded):
    """Templates of reporting duties: admins keep them; running clocks keep the words they were started with."""

    subject, index_name = "used", "Reporting duties"
    list_display = ("name", "days", "source", "in_use")
    list_filter = ("in_use",)
    search_fields = ("name", "applies", "source")
    fields = ("name", "days", "applies", "source", "in_use", "reason")

    def add_row(self, cleaned, *, reason, by):
        """Through its action."""
        return reporting_clocks.add_duty(
            by=by, **{key: value for key, value in cleaned.items() if key != "reason"}
        )


read_only(
    Meeting,
    "learned",
    list_display=("board", "held_on", "state", "secretary", "planned_by", "begun_at", "ended_at"),
    list_filter=("state", "board"),
    search_fields=("board__name", "place"),
    date_hierarchy="held_on",
)

read_only(
    AgendaPoint,
    "learned",
    list_display=("meeting", "initiative", "words", "place", "left_out", "by", "at"),
    list_filter=("left_out",),
    list_select_related=("meeting__board", "initiative", "by"),
    search_fields=("words", "reason", "initiative__title"),
)

read_only(
    Attendance,
    "learned",
    list_display=("meeting", "person", "present"),
    list_filter=("present",),
    list_select_related=("meeting__board", "person"),
    search_fields=("person__full_name",),
)

read_only(
    Minutes,
    "learned",
    list_display=("meeting", "point", "version", "by", "at"),
    list_filter=("meeting__board",),
    list_select_related=("meeting__board", "point", "by"),
    search_fields=("text",),
    date_hierarchy="at",
)

read_only(
    LessonResponse,
    "learned",
    list_display=("lesson", "initiative", "version", "applies", "by", "at"),
    list_filter=("applies",),
    list_select_related=("lesson", "initiative", "by"),
    search_fields=("words", "lesson__text", "initiative__title"),
    date_hierarchy="at",
)

read_only(
    Pack,
    "learned",
    list_display=("meeting", "sha256", "size", "record_size", "by", "at"),
    list_filter=("meeting__board",),
    list_select_related=("meeting__board", "by"),
    search_fields=("sha256",),
    date_hierarchy="at",
)

read_only(
    LessonWords,
    "learned",
    list_display=("lesson", "vendors"),
    list_filter=("lesson__layer",),
    list_select_related=("lesson",),
    search_fields=("lesson__text",),
)
