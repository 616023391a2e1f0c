"""The first floor as a Django app."""

from django.apps import AppConfig


class InitiativesConfig(AppConfig):
    """Initiatives, answers and evidence, reviews and sign-offs, holds, the integration register, imports."""

    name = "initiatives"
    verbose_name = "Initiatives"

    def ready(self):
        """Hang what belongs to cases on the hooks below."""
        from governance import asof, capture, hooks

        hooks.case_tabs += [
            hooks.CaseTab("What stands between", "case", position=10),
            hooks.CaseTab("Checklist", "checklist", position=20),
            hooks.CaseTab("Evidence", "evidence", count=lambda facts: len(facts.items), position=30),
            hooks.CaseTab("Contract", "contract", position=40),
            hooks.CaseTab("What runs", "running", position=50),
            hooks.CaseTab("Keys and switch", "systems", position=55),
            hooks.CaseTab("Integration", "integration", position=57),
            hooks.CaseTab("People", "people", position=60),
            hooks.CaseTab("Notes", "notes", position=65),
            hooks.CaseTab("Waivers", "waivers", position=70),
            hooks.CaseTab("History", "case-history", position=90),
        ]
        from governance.models import Delivery
        from initiatives import approval_mails, calendar_days, checkpoint_mails, digest, reminders

        hooks.due_queries += reminders.QUERIES
        hooks.case_words.append(reminders.words_of)
        hooks.notice_verbs |= reminders.VERBS
        hooks.mails[Delivery.DIGEST] = digest.DIGEST_MAIL
        hooks.mails[Delivery.APPROVALS] = approval_mails.APPROVALS_MAIL
        hooks.mails[Delivery.CHECKPOINT] = checkpoint_mails.CHECKPOINT_MAIL
        hooks.own_mails |= {approval_mails.KIND, checkpoint_mails.KIND}
        hooks.notice_verbs[checkpoint_mails.KIND] = "Compare it with the record"
        hooks.digest_units.append(digest.units_of)
        hooks.calendar_days.append(calendar_days.days)
        # Imported here: models can be imported only once the apps are loaded.
        from initiatives import (
            auditing,
            desk_files,
            desk_lines,
            desk_look,
            personal,
            reports,
            visibility,
            words,
        )
        from initiatives.models import Initiative, past

        capture.cases_are(Initiative, number="number")
        asof.derived |= past.VIEWS
        asof.indexes |= past.INDEXES
        hooks.desk_lines += [*desk_lines.LINES, desk_files.lines]
        hooks.desk_circles.append(desk_look.circle_of)
        hooks.sight_lost.append(visibility.sight_lost)
        hooks.quiet_acts |= desk_lines.QUIET
        hooks.reports += reports.REPORTS
        hooks.rights_held.append(auditing.roles_held)
        hooks.decisions += auditing.DECISIONS
        hooks.readings += auditing.READINGS
        hooks.act_words.append(words.sentence)
        hooks.case_ends.append(personal.ends)
        hooks.decision_tables += personal.DECISION_TABLES
        hooks.proof_named.append(personal.proof_named)
        hooks.after_erasure.append(personal.after_erasure)
        hooks.hashes_of_text |= personal.HASHES_OF_TEXT
