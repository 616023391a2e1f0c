"""The app for the results of initiatives."""

from django.apps import AppConfig


class AdoptionConfig(AppConfig):
    """Measures, reports, incidents, post-mortems, lessons."""

    name = "adoption"
    verbose_name = "Adoption"

    def ready(self):
        """Install what packages add to the apps below."""
        from initiatives import contributions

        contributions.install(
            "adoption.inbox.contribution",
            "adoption.measures.contribution",
            "adoption.meetings.contribution",
            "adoption.incidents.inbox",
            "adoption.reports.inbox",
            "adoption.lessons.contribution",
            "adoption.surveys.inbox",
            "adoption.monitoring.contribution",
            "adoption.postmortems.cause_views",
            "adoption.measurements.contribution",
            "adoption.audit_log_export.views",
        )
