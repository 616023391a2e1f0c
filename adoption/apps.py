"""The app of what came of the initiatives: what it contributes to the apps below when it starts."""

from django.apps import AppConfig
from django.utils.translation import gettext_noop as _  # looked up when shown

from governance.vocabulary.entry_kinds import EntryKind


class AdoptionConfig(AppConfig):
    """Measures, reports, incidents, post-mortems, lessons."""

    name = "adoption"
    verbose_name = "Adoption"

    def ready(self):
        """Contribute the tabs, inbox lines, findings and what is due to the apps below."""
        from adoption.inbox import entry_wording as inbox_entry_wording
        from adoption.inbox import lines as inbox_lines
        from adoption.inbox import remedies as inbox_remedies
        from adoption.incidents import inbox as incident_inbox
        from adoption.incidents import incident_metrics
        from adoption.incidents import reminders as incident_reminders
        from adoption.lessons import findings as lesson_findings
        from adoption.lessons import inbox as lesson_inbox
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
        from adoption.reports import findings as report_findings
        from adoption.reports import inbox as report_inbox
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
        contributions.inbox_lines += [
            inbox_lines.lines,
            incident_inbox.lines,
            report_inbox.lines,
            lesson_inbox.lines,
        ]
        contributions.quiet_acts |= (
            inbox_lines.QUIET
            | incident_inbox.QUIET
            | report_inbox.QUIET
            | lesson_inbox.QUIET
            | inbox_entry_wording.QUIET
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
        KINDS.update(inbox_remedies.FIXES)
        contributions.fixes |= inbox_remedies.FIXES
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
        SENTENCES.update(inbox_entry_wording.SENTENCES)
        WAYS.update(inbox_entry_wording.WAYS)
