"""The ground floor as a Django app."""

from django.apps import AppConfig
from django.core import checks
from django.db.models.signals import post_migrate, pre_migrate


class GovernanceConfig(AppConfig):
    """People and boards, the rulebook, contracts, policy decisions, the ledger, notices."""

    name = "governance"
    verbose_name = "Governance"

    def ready(self):
        """Protect the record's tables after every migrate, when the tables of all apps exist; hang up what is due."""
        from governance import capture, delivery, desk, guards, hooks, pulse, seals, status
        from governance.models import Delivery

        checks.register(capture.check_models, checks.Tags.models)
        pre_migrate.connect(guards.before_migrate, sender=self, dispatch_uid="plumbline-views")
        post_migrate.connect(guards.after_migrate, sender=self, dispatch_uid="plumbline-guards")
        pulse.listen()
        hooks.due_queries.append(seals.checkpoints_due)
        hooks.desk_lines.append(status.lines)
        hooks.quiet_acts |= desk.QUIET
        hooks.mails[Delivery.DAY] = delivery.DAY_MAIL
        hooks.notice_verbs["checkpoint"] = "Compare it with the record"
