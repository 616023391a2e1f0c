"""The first floor as a Django app."""

from django.apps import AppConfig


class InitiativesConfig(AppConfig):
    """Initiatives, answers and evidence, reviews and sign-offs, holds, the integration register, imports."""

    name = "initiatives"
    verbose_name = "Initiatives"

    def ready(self):
        """Hang what belongs to cases on the hooks below."""
        from governance import contributions
        from governance.ledger import row_capture
        from governance.transparency_log import as_of

        contributions.case_tabs += [
            contributions.CaseTab("What stands between", "case", position=10),
            contributions.CaseTab("Checklist", "checklist", position=20),
            contributions.CaseTab("Evidence", "evidence", count=lambda facts: len(facts.items), position=30),
            contributions.CaseTab("Contract", "contract", position=40),
            contributions.CaseTab("What runs", "running", position=50),
            contributions.CaseTab("Keys and switch", "systems", position=55),
            contributions.CaseTab("Integration", "integration", position=57),
            contributions.CaseTab("People", "people", position=60),
            contributions.CaseTab("Notes", "notes", position=65),
            contributions.CaseTab("Waivers", "waivers", position=70),
            contributions.CaseTab("History", "case-history", position=90),
        ]
        from governance.models import Delivery
        from initiatives.approvals import mails as approval_mails
        from initiatives.desk import calendar as desk_calendar
        from initiatives.desk import due_queries, weekly_digest
        from initiatives.reviews import checkpoint_mails

        contributions.due_queries += due_queries.QUERIES
        contributions.case_words.append(due_queries.words_of)
        contributions.notice_verbs |= due_queries.VERBS
        contributions.mails[Delivery.DIGEST] = weekly_digest.DIGEST_MAIL
        contributions.mails[Delivery.APPROVALS] = approval_mails.APPROVALS_MAIL
        contributions.mails[Delivery.CHECKPOINT] = checkpoint_mails.CHECKPOINT_MAIL
        contributions.own_mails |= {approval_mails.KIND, checkpoint_mails.KIND}
        contributions.notice_verbs[checkpoint_mails.KIND] = "Compare it with the record"
        contributions.digest_units.append(weekly_digest.units_of)
        contributions.calendar_days.append(desk_calendar.days)
        # Imported here: models can be imported only once the apps are loaded.
        from initiatives.cases import audit_contribution, privacy_contribution, visibility
        from initiatives.desk import lines as desk_lines
        from initiatives.evidence import file_check_desk
        from initiatives.history import entry_wording as history_entry_wording
        from initiatives.models import Initiative, initiative
        from initiatives.portfolio import report_links
        from initiatives.worklist import person_worklist

        row_capture.cases_are(Initiative, number="number")
        as_of.derived |= initiative.VIEWS
        as_of.indexes |= initiative.INDEXES
        contributions.desk_lines += [*desk_lines.LINES, file_check_desk.lines]
        contributions.desk_circles.append(person_worklist.circle_of)
        contributions.sight_lost.append(visibility.sight_lost)
        contributions.quiet_acts |= desk_lines.QUIET
        contributions.reports += report_links.REPORTS
        contributions.rights_held.append(audit_contribution.roles_held)
        contributions.decisions += audit_contribution.DECISIONS
        contributions.readings += audit_contribution.READINGS
        contributions.act_words.append(history_entry_wording.sentence)
        contributions.case_ends.append(privacy_contribution.ends)
        contributions.decision_tables += privacy_contribution.DECISION_TABLES
        contributions.proof_named.append(privacy_contribution.proof_named)
        contributions.after_erasure.append(privacy_contribution.after_erasure)
        contributions.hashes_of_text |= privacy_contribution.HASHES_OF_TEXT
