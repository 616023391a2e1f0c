"""The app of the initiatives: what it contributes to `governance` and to its own lists when it starts."""

from django.apps import AppConfig
from django.utils.translation import gettext_noop as _  # looked up when shown


class InitiativesConfig(AppConfig):
    """Initiatives, answers and evidence, reviews and sign-offs, holds, the integration register, imports."""

    name = "initiatives"
    verbose_name = "Initiatives"

    def ready(self):
        """Contribute what belongs to initiatives to `governance`, and what nouns say to the packages below them."""
        from governance import contributions
        from governance.ledger import row_capture
        from governance.transparency_log import as_of

        page = contributions.InitiativePage
        contributions.initiative_pages += [
            page("Overview", _("Overview"), "initiative"),
            page("Overview", _("People"), "people"),
            page("Overview", _("Notes"), "notes"),
            page("Requirements", _("Requirements"), "requirements"),
            page("Requirements", _("Evidence"), "evidence", lambda facts: len(facts.items)),
            page("Requirements", _("Declaration"), "declaration"),
            page("Requirements", _("Waivers"), "waivers"),
            page("Review", _("Reviews"), "review-open"),
            page("Contract and access", _("Contract"), "contract"),
            page("Contract and access", _("API access"), "systems"),
            page("System", _("Versions and scope"), "running"),
            page("System", _("Integration"), "integration"),
            page("Activity", _("Activity"), "initiative-history"),
        ]
        from governance.models import Delivery
        from initiatives.approvals import mails as approval_mails
        from initiatives.imports import entry_wording as import_entry_wording
        from initiatives.inbox import calendar as inbox_calendar
        from initiatives.inbox import due_queries, weekly_digest
        from initiatives.interactions import body_terms
        from initiatives.interactions import entry_wording as interaction_entry_wording
        from initiatives.interactions import reminders as interaction_reminders
        from initiatives.interactions.comparison import inbox as interaction_inbox
        from initiatives.interactions.requests import inbox as request_inbox
        from initiatives.interactions.requests import reminders as request_reminders
        from initiatives.reviews import checkpoint_mails

        contributions.due_queries += [*due_queries.QUERIES, *interaction_reminders.QUERIES]
        contributions.due_queries += request_reminders.QUERIES
        contributions.initiative_words.append(due_queries.words_of)
        contributions.notice_verbs |= (
            due_queries.VERBS | interaction_reminders.VERBS | request_reminders.VERBS
        )
        contributions.mails[Delivery.DIGEST] = weekly_digest.DIGEST_MAIL
        contributions.mails[Delivery.APPROVALS] = approval_mails.APPROVALS_MAIL
        contributions.mails[Delivery.CHECKPOINT] = checkpoint_mails.CHECKPOINT_MAIL
        contributions.own_mails |= {approval_mails.KIND, checkpoint_mails.KIND}
        contributions.notice_verbs[checkpoint_mails.KIND] = "Compare it with the audit log"
        contributions.digest_units.append(weekly_digest.units_of)
        contributions.calendar_days.append(inbox_calendar.days)
        # Imported here: models can be imported only once the apps are loaded.
        from initiatives.access import visibility
        from initiatives.components import findings as component_findings
        from initiatives.components import remedies as component_remedies
        from initiatives.evidence import file_check_inbox
        from initiatives.facts import finding_rules, standings
        from initiatives.findings import decision_days, sync
        from initiatives.history import entry_wording as history_entry_wording
        from initiatives.holds.actions import follow_support
        from initiatives.inbox import lines as inbox_lines
        from initiatives.initiative import act, audit_contribution, initiative_frame, privacy_contribution
        from initiatives.initiative_pages import banners
        from initiatives.insights import report_links
        from initiatives.integration.definitions import findings as definition_findings
        from initiatives.integration.definitions.conflicts import settle_conflicts
        from initiatives.integration.links import agreements
        from initiatives.integration.residency import findings as residency_findings
        from initiatives.integration.resilience import drill_findings, process_findings
        from initiatives.integration.systems import findings as system_findings
        from initiatives.interactions.comparison import findings as interaction_findings
        from initiatives.interactions.comparison import remedies as interaction_remedies
        from initiatives.models import Initiative, initiative
        from initiatives.reviews.drawn_questions.actions import draw_after_sealing
        from initiatives.reviews.turn_notices import tell_turns
        from initiatives.worklist import person_worklist

        contributions.derived += [standings.unlike, decision_days.unlike]
        act.followers.append(follow_support)
        act.tellers.append(tell_turns)
        initiative_frame.BANNERS.append(banners.banners_of)
        finding_rules.REGISTER_SAYS += [
            system_findings.says,
            definition_findings.says,
            residency_findings.says,
            process_findings.says,
            drill_findings.says,
            drill_findings.records,
            component_findings.says,
            decision_days.says,
            interaction_findings.says,
            interaction_findings.says_of_calls,
        ]
        finding_rules.MEASURES += [
            agreements.measures,
            decision_days.measured,
            interaction_findings.measured,
            interaction_findings.measured_of_calls,
        ]
        sync.SETTLED_FIRST[definition_findings.says] = settle_conflicts
        sync.CHANGING += [drill_findings.failing_records, interaction_findings.changing]
        contributions.fixes["component"] = component_remedies.fixes_of
        contributions.fixes["decisions"] = decision_days.fixes_of
        contributions.fixes["interactions"] = interaction_remedies.fixes_of
        row_capture.initiatives_are(Initiative, number="number")
        as_of.derived |= initiative.VIEWS
        as_of.indexes |= initiative.INDEXES
        contributions.inbox_lines += [
            *inbox_lines.LINES,
            file_check_inbox.lines,
            interaction_inbox.lines,
            request_inbox.lines,
        ]
        contributions.inbox_circles.append(person_worklist.circle_of)
        contributions.sight_lost.append(visibility.sight_lost)
        contributions.quiet_acts |= inbox_lines.QUIET
        contributions.reports += report_links.REPORTS
        contributions.rights_held.append(audit_contribution.roles_held)
        contributions.decisions += audit_contribution.DECISIONS
        contributions.readings += audit_contribution.READINGS
        history_entry_wording.SENTENCES.update(interaction_entry_wording.SENTENCES)
        history_entry_wording.SENTENCES.update(import_entry_wording.SENTENCES)
        contributions.act_words.append(history_entry_wording.sentence)
        contributions.body_days.append(body_terms.days_on)
        contributions.initiative_ends.append(privacy_contribution.ends)
        contributions.decision_tables += privacy_contribution.DECISION_TABLES
        contributions.proof_named.append(privacy_contribution.proof_named)
        contributions.after_sealing.append(draw_after_sealing)
        contributions.after_erasure.append(privacy_contribution.after_erasure)
        contributions.hashes_of_text |= privacy_contribution.HASHES_OF_TEXT
        contributions.erased_whole |= privacy_contribution.ERASED_WHOLE
