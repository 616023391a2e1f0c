"""The models for the results of initiatives."""

from adoption.models.audit_log_exports import AuditLogExport
from adoption.models.incidents import Deadline, Incident, IncidentLine, IncidentSystem, ReportingDuty
from adoption.models.lessons import LessonResponse, LessonWords
from adoption.models.measures import Goal, Measure, Measurement, Tally
from adoption.models.meetings import AgendaPoint, Attendance, Meeting, Minutes, Pack
from adoption.models.monitoring import Alert, AlertMapping, MonitoringLook, MonitoringPromise
from adoption.models.postmortems import Attachment, Attribution, Lesson, LinkedGap, PostMortem, SectionComment
from adoption.models.reports import (
    BehaviourReport,
    IncidentDraft,
    ProblemLink,
    ProblemReport,
    Report,
    SealedSource,
    SourceQuestion,
)
from adoption.models.surveys import AnswerBox, Invitation, Survey, SurveyComment

__all__ = [
    "AgendaPoint",
    "Alert",
    "AlertMapping",
    "AnswerBox",
    "Attachment",
    "Attendance",
    "Attribution",
    "AuditLogExport",
    "BehaviourReport",
    "Deadline",
    "Goal",
    "Incident",
    "IncidentDraft",
    "IncidentLine",
    "IncidentSystem",
    "Invitation",
    "Lesson",
    "LessonResponse",
    "LessonWords",
    "LinkedGap",
    "Measure",
    "Measurement",
    "Meeting",
    "Minutes",
    "MonitoringLook",
    "MonitoringPromise",
    "Pack",
    "PostMortem",
    "ProblemLink",
    "ProblemReport",
    "Report",
    "ReportingDuty",
    "SealedSource",
    "SectionComment",
    "SourceQuestion",
    "Survey",
    "SurveyComment",
    "Tally",
]
