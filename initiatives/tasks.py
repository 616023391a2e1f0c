"""The periodic tasks of the initiatives. Each calls one act and may run twice."""

from celery import shared_task

from governance.models import Delivery
from governance.notifications import daily_mail
from initiatives.contracts.approvals import actions as approval_actions
from initiatives.contracts.approvals import mails as approval_mails
from initiatives.interactions.comparison import reconciling
from initiatives.lifecycle.evidence import file_checks
from initiatives.lifecycle.findings import decision_days, sync
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.reviews import checkpoint_mails
from initiatives.lifecycle.reviews.drawn_requirements import actions as drawn_requirement_actions
from initiatives.lifecycle.risks import actions as risk_actions
from initiatives.lifecycle.stages import periodic
from initiatives.portfolio.found_models import looking
from initiatives.portfolio.imports.inventories import import_runs
from initiatives.portfolio.rulebook_changes import forecast_actions

SURE = {"acks_late": True, "reject_on_worker_lost": True, "ignore_result": True}


@shared_task(**SURE)
def expire_reviews() -> None:
    """End the reviews that were not decided in time."""
    review_actions.expire_reviews()


@shared_task(**SURE)
def draw_requirements(keys: list[int] | None = None) -> None:
    """Draw due requirements of minimal risk, of all initiatives or of these."""
    drawn_requirement_actions.draw_due(keys)


@shared_task(**SURE)
def recompute_supported_stages() -> None:
    """Rewrite expired supported stages, open obligations of grace, and correct stages."""
    periodic.recompute()
    periodic.correct()


@shared_task(**SURE)
def follow_register() -> None:
    """Keep the decision counts of past days, and open and close the holds due by date.

    The task also asks the chairs about models that something names and no initiative declares.
    """
    decision_days.count()
    sync.follow_register()
    looking.look()


@shared_task(**SURE)
def queue_long_imports() -> None:
    """Queue long imports that wait, or whose worker is gone."""
    import_runs.go_on()


@shared_task(**SURE, time_limit=580)  # less than what brings a lost task back
def run_import(pk: int) -> None:
    """Read, map or confirm a long import, unless a worker already does."""
    import_runs.run(pk)


@shared_task(**SURE)
def find_missing_files() -> None:
    """Search for evidence whose file is missing, changed, or back."""
    file_checks.find_missing_files()


@shared_task(**SURE)
def check_file(key: int) -> None:
    """Check one file again that was found to differ from the audit log."""
    file_checks.check_file(key=key)


@shared_task(**SURE)
def open_vacancy_obligations() -> None:
    """Open an obligation of the chair if an owner is missing for too long."""
    periodic.open_vacancy_obligations()


@shared_task(**SURE)
def open_gaps_of_risks() -> None:
    """Open a gap for each accepted risk whose last day or review has passed."""
    risk_actions.open_gaps()


@shared_task(**SURE)
def send_digests() -> None:
    """Send everyone the digest of the week, if it was not sent yet."""
    daily_mail.deliver(kind=Delivery.DIGEST)


@shared_task(**SURE)
def mail_approvals() -> None:
    """Email the approvers of waiting requests soon, because a system waits."""
    approval_mails.send()


@shared_task(**SURE)
def mail_checkpoints() -> None:
    """Email the checkpoint of each new decision on production to its keepers."""
    checkpoint_mails.send()


@shared_task(**SURE)
def erase_previews() -> None:
    """Erase the contents of calls whose approval is long over."""
    approval_actions.erase_previews()


@shared_task(**SURE)
def work_out_forecast(pk: int) -> None:
    """Compute the effects of a rulebook, unless a worker already does."""
    forecast_actions.work_out(pk)


@shared_task(**SURE)
def reconcile_logs() -> None:
    """Compare the acts of systems with their permissions, where a log grew.

    The clock must be right: with a wrong one, an act is a finding before its decision has arrived.
    """
    reconciling.reconcile()
