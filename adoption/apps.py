"""The app of what came of the initiatives: what it contributes to the apps below when it starts."""

from django.apps import AppConfig
from django.utils.translation import gettext_noop as _  # looked up when shown

from governance.vocabulary.entry_kinds import EntryKind


class AdoptionConfig(AppConfig):
    """Measures, reports, incidents, post-mortems, lessons."""

    name = "adoption"
    verbose_name = "Adoption"

    def ready(self):
        """Contribute the tabs, desk lines, findings and what is due to the apps below."""
        from adoption.desk import entry_wording as desk_entry_wording
        from adoption.desk import lines as desk_lines
        from adoption.desk import remedies as desk_remedies
        from adoption.incidents import desk as incident_desk
        from adoption.incidents import incident_metrics
        from adoption.incidents import reminders as incident_reminders
        from adoption.lessons import desk as lesson_desk
        from adoption.lessons import findings as lesson_findings
        from adoption.lessons import views as lesson_views
        from adoption.lessons.actions import offer_of
        from adoption.measures import findings as measure_findings
        from adoption.measures.queries import measured_value
        from adoption.meetings import agenda
        from adoption.meetings import calendar as meeting_calendar
        from adoption.meetings import reminders as meeting_reminders
        from adoption.monitoring import findings as monitoring_findings
        from adoption.monitoring import reminders as monitoring_reminders
        from adoption.postmortems.cause_views import beside_insights
        from adoption.public_pages.actions import follow_secrecy
        from adoption.public_pages.presentation import beside_running
        from adoption.readings import batch_digest, tallies
        from adoption.record_export.views import beside_history
        from adoption.reports import desk as report_desk
        from adoption.reports import findings as report_findings
        from adoption.reports import reminders as report_reminders
        from adoption.surveys import reminders as survey_reminders
        from governance import contributions
        from initiatives.facts.finding_rules import KINDS, MEASURES, MORE_SAYS, UNLESS
        from initiatives.findings.sync import CHANGING
        from initiatives.history.entry_wording import SENTENCES, WAYS
        from initiatives.insights import figures, money, reasons
        from initiatives.portfolio.search import GROUPS

        contributions.initiative_pages += [
            contributions.InitiativePage("Requirements", _("Lessons"), "lessons"),
            contributions.InitiativePage("Operation", _("Adoption"), "adoption"),
            contributions.InitiativePage("Operation", _("Incidents"), "incidents"),
            contributions.InitiativePage("Operation", _("Monitoring"), "monitoring"),
        ]
        contributions.desk_lines += [
            desk_lines.lines,
            incident_desk.lines,
            report_desk.lines,
            lesson_desk.lines,
        ]
        contributions.quiet_acts |= (
            desk_lines.QUIET
            | incident_desk.QUIET
            | report_desk.QUIET
            | lesson_desk.QUIET
            | desk_entry_wording.QUIET
        )
        for module in (
            meeting_reminders,
            incident_reminders,
            report_reminders,
            survey_reminders,
            monitoring_reminders,
        ):
            contributions.due_queries += module.QUERIES
            contributions.notice_verbs |= module.VERBS
        contributions.reports += incident_metrics.REPORTS
        figures.LAGGING.append(report_findings.TRUST_LOST)
        reasons.WHY[report_findings.TRUST_LOST.key] = report_findings.why_trust_lost
        money.MEASURED.append(measured_value)
        MEASURES.extend([measure_findings.measured, monitoring_findings.measured])
        CHANGING.append(monitoring_findings.changing)
        MORE_SAYS.extend([report_findings.behaviour, measure_findings.says, lesson_findings.says])
        UNLESS.update(measure_findings.undeclared())
        KINDS.update(desk_remedies.FIXES)
        contributions.fixes |= desk_remedies.FIXES
        contributions.sealed_batches.append(batch_digest.broken)
        contributions.derived.append(tallies.unlike)
        contributions.calendar_days.append(meeting_calendar.days)
        contributions.decided_where.append(agenda.where_decided)
        contributions.readings += [EntryKind.PACK_TAKEN, EntryKind.RECORD_EXPORT_TAKEN]
        contributions.notice_verbs["record export"] = "Open the export"
        contributions.secrecy_changed += [offer_of, follow_secrecy]
        contributions.parts["review"].append(lesson_views.beside_review)
        contributions.parts["registering"].append(lesson_views.beside_registering)
        contributions.parts["link"].append(lesson_views.beside_link)
        contributions.parts["running"].append(beside_running)
        contributions.parts["history"].append(beside_history)
        contributions.parts["insights"].append(beside_insights)
        GROUPS["lessons"] = ("Lessons", lesson_views.found)
        SENTENCES.update(desk_entry_wording.SENTENCES)
        WAYS.update(desk_entry_wording.WAYS)
