"""The addresses of the pages for the results of initiatives."""

from django.urls import path, re_path

from adoption import api
from adoption.agents import mcp_endpoint
from adoption.agents import views as agent_views
from adoption.audit_log_export import views as export_views
from adoption.incidents import views as incident_views
from adoption.lessons import views as lesson_views
from adoption.measurements import views as measurement_views
from adoption.measures import views as measure_views
from adoption.meetings import views as meeting_views
from adoption.monitoring import api as monitoring_api
from adoption.monitoring import views as monitoring_views
from adoption.postmortems import cause_views, part_views
from adoption.postmortems import views as postmortem_views
from adoption.read_api import api as read_api
from adoption.read_api import decision_endpoints, initiative_endpoints, measure_endpoints, register_endpoints
from adoption.reports import public_views as public_report_views
from adoption.reports import views as report_views
from adoption.surveys import answer_views
from adoption.surveys import views as survey_views

# To import these modules is what adds their endpoints to the read API.
ENDPOINTS = (initiative_endpoints, measure_endpoints, decision_endpoints, register_endpoints)

urlpatterns = [
    *read_api.addresses(),
    path("api/v1/openapi.json", read_api.openapi, name="api-openapi"),
    re_path(r"^api/v1/", read_api.nothing, name="api-nothing"),
    path("mcp", mcp_endpoint.endpoint, name="mcp"),
    re_path(r"^mcp/", mcp_endpoint.nothing, name="mcp-nothing"),
    path("help/api/", agent_views.reference, name="api-reference"),
    path("adoption/v1/measurements", api.send, name="adoption-measurements"),
    path("adoption/v1/measures", api.measures, name="adoption-measures"),
    path("adoption/v1/alerts", monitoring_api.send, name="adoption-alerts"),
    path("adoption/v1/alerts/<str:secret>", monitoring_api.send_by_address, name="adoption-alerts-address"),
    re_path(r"^adoption/v1/", api.nothing, name="adoption-nothing"),
    path("initiatives/<str:ref>/adoption/", measure_views.adoption, name="adoption"),
    path("initiatives/<str:ref>/adoption/declare/", measure_views.declare, name="measure-declare"),
    path("initiatives/<str:ref>/adoption/import/", measurement_views.bring_in, name="measurements-import"),
    path("measures/<int:pk>/", measurement_views.measure, name="measure"),
    path("insights/causes/", cause_views.causes, name="insights-causes"),
    path("meetings/", meeting_views.meetings, name="meetings"),
    path("meetings/<int:pk>/", meeting_views.meeting, name="meeting"),
    path("meetings/<int:pk>/points/<slug:point>/", meeting_views.agenda_point, name="meeting-point"),
    path("meetings/<int:pk>/minutes/<slug:point>/", meeting_views.minutes, name="meeting-minutes"),
    path("meetings/<int:pk>/pack/", meeting_views.pack, name="meeting-pack"),
    path("initiatives/<str:ref>/lessons/", postmortem_views.lessons, name="lessons"),
    path("initiatives/<str:ref>/lessons/answer/", lesson_views.answer, name="lessons-answer"),
    path("lessons/", lesson_views.lessons_all, name="lessons-all"),
    path("lessons/<int:pk>/", lesson_views.lesson, name="lesson"),
    path("lessons/<int:pk>/confirm/", lesson_views.lesson_confirm, name="lesson-confirm"),
    path("lessons/<int:pk>/again/", lesson_views.lesson_again, name="lesson-again"),
    path("obligations/<int:pk>/post-mortem/", postmortem_views.start, name="post-mortem-start"),
    path("post-mortems/<int:pk>/", postmortem_views.post_mortem, name="post-mortem"),
    path("post-mortems/<int:pk>/hand-in/", postmortem_views.hand_in, name="post-mortem-hand-in"),
    path("post-mortems/<int:pk>/confirm/", postmortem_views.confirm, name="post-mortem-confirm"),
    path("post-mortems/<int:pk>/account/", postmortem_views.account, name="post-mortem-account"),
    path(
        "post-mortem-comments/<int:pk>/resolve/",
        part_views.resolve_comment,
        name="post-mortem-comment-resolve",
    ),
    path("attachments/<int:pk>/file/", part_views.download, name="attachment-file"),
    path("attachments/<int:pk>/look/", part_views.look, name="attachment-look"),
    path("attachments/<int:pk>/look/content/", part_views.content, name="attachment-content"),
    path("initiatives/<str:ref>/adoption/surveys/", survey_views.surveys, name="adoption-surveys"),
    path("surveys/<int:pk>/", survey_views.survey, name="survey"),
    path("surveys/<int:pk>/open/", survey_views.open_survey, name="survey-open"),
    path("surveys/<int:pk>/links/", survey_views.replace_links, name="survey-links"),
    path("surveys/<int:pk>/close/", survey_views.close, name="survey-close"),
    path("survey/thanks/<str:language>/", answer_views.thanks, name="survey-thanks"),
    path("survey/<str:token>/", answer_views.answer, name="survey-answer"),
    path("initiatives/<str:ref>/incidents/", report_views.incidents, name="incidents"),
    path("incidents/<int:pk>/", incident_views.incident, name="incident"),
    path("initiatives/<str:ref>/monitoring/", monitoring_views.monitoring, name="monitoring"),
    path("alerts/<int:pk>/", monitoring_views.alert, name="alert"),
    path("reporting-duties/", incident_views.duties, name="reporting-duties"),
    path("initiatives/<str:ref>/reports/behaviour/", report_views.report_behaviour, name="report-behaviour"),
    path("reports/mine/", report_views.mine, name="reports-mine"),
    path("reports/<slug:kind>/<int:pk>/", report_views.report, name="report"),
    path("exports/", export_views.exports, name="audit-log-exports"),
    path("exports/<int:pk>/", export_views.export, name="audit-log-export"),
    path("exports/<int:pk>/progress/", export_views.progress, name="audit-log-export-progress"),
    path("exports/<int:pk>/download/", export_views.download, name="audit-log-export-download"),
    path("report/<str:token>/", public_report_views.report, name="report-problem"),
    path("report/answer/<str:secret>/", public_report_views.reported, name="reported-problem"),
]
