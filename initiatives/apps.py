"""The app of the initiatives."""

from django.apps import AppConfig


class InitiativesConfig(AppConfig):
    """Initiatives, answers and evidence, reviews and sign-offs, holds, the integration register, imports."""

    name = "initiatives"
    verbose_name = "Initiatives"

    def ready(self):
        """Tell the audit log what an initiative is, and install what packages add to the packages below them."""
        from governance.audit_log import row_capture
        from governance.transparency_log import as_of
        from initiatives import contributions
        from initiatives.models import Initiative, initiative

        row_capture.initiatives_are(Initiative, number="number")
        as_of.derived |= initiative.VIEWS
        as_of.indexes |= initiative.INDEXES
        contributions.install(
            "initiatives.facts.supported_stage_rows",
            "initiatives.initiative.contribution",
            "initiatives.integration.contribution",
            "initiatives.components.contribution",
            "initiatives.findings.decision_days",
            "initiatives.portfolio.search",
            "initiatives.holds.contribution",
            "initiatives.activity.entry_wording",
            "initiatives.imports.contribution",
            "initiatives.initiative_pages.contribution",
            "initiatives.insights.figures",
            "initiatives.inbox.contribution",
            "initiatives.approvals.mails",
            "initiatives.reviews.checkpoint_mails",
            "initiatives.interactions.contribution",
        )
