"""The app of the initiatives."""

from django.apps import AppConfig


class InitiativesConfig(AppConfig):
    """The app of the initiatives, of their evidence and reviews, and of the registers."""

    name = "initiatives"
    verbose_name = "Initiatives"

    def ready(self):
        """Register the initiative with the audit log, and install all contributions."""
        from governance.audit_log import row_capture
        from governance.transparency_log import as_of
        from initiatives import contributions
        from initiatives.models import Initiative, initiative

        row_capture.initiatives_are(Initiative, number="number")
        as_of.derived |= initiative.VIEWS
        as_of.indexes |= initiative.INDEXES
        contributions.install(
            "initiatives.lifecycle.facts.supported_stage_rows",
            "initiatives.lifecycle.initiative.contribution",
            "initiatives.lifecycle.scope.actions",
            "initiatives.contracts.documents.actions",
            "initiatives.contracts.enforcement.system_keys",
            "initiatives.integration.contribution",
            "initiatives.integration.components.contribution",
            "initiatives.lifecycle.findings.decision_days",
            "initiatives.portfolio.search.search",
            "initiatives.lifecycle.holds.contribution",
            "initiatives.lifecycle.risks.contribution",
            "initiatives.lifecycle.roles.contribution",
            "initiatives.lifecycle.activity.entry_wording",
            "initiatives.portfolio.imports.contribution",
            "initiatives.lifecycle.initiative_pages.contribution",
            "initiatives.portfolio.insights.figures",
            "initiatives.inbox.tasks.contribution",
            "initiatives.contracts.approvals.mails",
            "initiatives.lifecycle.reviews.checkpoint_mails",
            "initiatives.interactions.contribution",
        )
