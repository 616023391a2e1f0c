"""The ground floor as a Django app."""

import gc

from django.apps import AppConfig
from django.core import checks
from django.db.models.signals import post_migrate, pre_migrate


class GovernanceConfig(AppConfig):
    """People and boards, the rulebook, contracts, policy decisions, the ledger, notices."""

    name = "governance"
    # Rows read for an act are tens of thousands of objects and free of cycles: to look through them for cycles every
    # seven hundred costs a third of the act. So many are looked through at once; a few megabytes wait for it at most.
    # What is loaded at the start stays, and is never looked through: that would stop a page for a fifth of a second.
    LOOKED_THROUGH = 20_000
    verbose_name = "Governance"

    def ready(self):
        """Protect the record's tables after every migrate, when the tables of all apps exist; hang up what is due."""
        gc.collect()
        gc.freeze()
        gc.set_threshold(self.LOOKED_THROUGH, *gc.get_threshold()[1:])
        from governance import (
            account_news,
            capture,
            delivery,
            desk,
            desk_place,
            desk_status,
            guards,
            hooks,
            pulse,
            seals,
            seats,
            serving,
        )
        from governance.models import Delivery

        checks.register(capture.check_models, checks.Tags.models)
        checks.register(serving.check_server, checks.Tags.security, deploy=True)
        pre_migrate.connect(guards.before_migrate, sender=self, dispatch_uid="plumbline-views")
        post_migrate.connect(guards.after_migrate, sender=self, dispatch_uid="plumbline-guards")
        pulse.listen()
        hooks.due_queries.append(seals.checkpoints_due)
        hooks.desk_lines += [desk_status.lines, desk_place.lines, seats.lines]
        hooks.quiet_acts |= desk.QUIET
        hooks.mails[Delivery.DAY] = delivery.DAY_MAIL
        hooks.mails[Delivery.ACCOUNT] = account_news.ACCOUNT_MAIL
        hooks.own_mails.add(account_news.KIND)
        hooks.notice_verbs["checkpoint"] = "Compare it with the record"
