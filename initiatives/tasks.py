"""The tasks of the initiatives: what time does to them. Each calls one act and may run twice."""

from celery import shared_task

from governance.models import Delivery
from governance.notifications import daily_mail
from initiatives.contracts.approvals import actions as approval_actions
from initiatives.contracts.approvals import mails as approval_mails
from initiatives.interactions.anchoring import actions as anchoring_actions
from initiatives.interactions.comparison import reconciling
from initiatives.interactions.requests import actions as request_actions
from initiatives.interactions.requests import searches as request_searches
from initiatives.interactions.selections import actions as selection_actions
from initiatives.lifecycle.evidence import file_checks
from initiatives.lifecycle.findings import decision_days, sync
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.reviews import checkpoint_mails
from initiatives.lifecycle.reviews.drawn_requirements import actions as drawn_requirement_actions
from initiatives.lifecycle.stages import periodic
from initiatives.portfolio.imports.inventories import import_runs
from initiatives.portfolio.imports.systems import actions as system_import_actions
from initiatives.portfolio.rulebook_changes import forecast_actions

SURE = {"acks_late": True, "reject_on_worker_lost": True, "ignore_result": True}


@shared_task(**SURE)
def expire_reviews() -> None:
    """End the reviews that nobody decided in time."""
    review_actions.expire_reviews()


@shared_task(**SURE)
def draw_requirements(keys: list[int] | None = None) -> None:
    """Draw the requirements of initiatives of minimal risk that are due, of all initiatives or of these; of all,
    samples too.

    A sample of outputs that is asked for is drawn once the audit log has sealed the asking.
    """
    drawn_requirement_actions.draw_due(keys)
    if keys is None:
        anchoring_actions.draw_due()


@shared_task(**SURE)
def recompute_supported_stages() -> None:
    """Rewrite the supported stages whose time ran out; open the obligations of grace; correct supported stages that are
    wrong.
    """
    periodic.recompute()
    periodic.correct()


@shared_task(**SURE)
def follow_register() -> None:
    """Keep what the log of decisions says of the days that are over; open and close the holds that dates call for."""
    decision_days.count()
    sync.follow_register()


@shared_task(**SURE)
def enter_system_imports() -> None:
    """Let the rows of confirmed tables enter the register; what does not fit into one run waits for the next. And
    send a queue message for long imports that wait, or whose worker is gone.
    """
    system_import_actions.enter_waiting(seconds=180)
    import_runs.go_on()


@shared_task(**SURE, time_limit=580)  # less than what brings a lost task back
def run_import(pk: int) -> None:
    """Read, map or confirm what is too long for a page, unless somebody does."""
    import_runs.run(pk)


@shared_task(**SURE)
def find_missing_files() -> None:
    """Look for evidence whose file is gone, changed, or back."""
    file_checks.find_missing_files()


@shared_task(**SURE)
def check_file(key: int) -> None:
    """Look again at one file that somebody met and that was not as the audit log says."""
    file_checks.check_file(key=key)


@shared_task(**SURE)
def open_vacancy_obligations() -> None:
    """Write the chair an owner where one is missing for too long."""
    periodic.open_vacancy_obligations()


@shared_task(**SURE)
def send_digests() -> None:
    """Send everybody the week's digest of each unit of theirs that has not gone out."""
    daily_mail.deliver(kind=Delivery.DIGEST)


@shared_task(**SURE)
def mail_approvals() -> None:
    """Tell whoever is asked to approve something; soon, because a system waits."""
    approval_mails.send()


@shared_task(**SURE)
def mail_checkpoints() -> None:
    """Mail the checkpoint of each new decision on production to those who keep it elsewhere."""
    checkpoint_mails.send()


@shared_task(**SURE)
def tend_requests() -> None:
    """Remove what was kept until a day that has passed: selections of interactions, what requests say of their
    persons, and what approvers were shown. Take up the searches of requests that wait.
    """
    approval_actions.erase_previews()
    selection_actions.tend()
    request_searches.go_on()
    request_actions.forget_what_is_over()


@shared_task(**SURE)
def work_out_forecast(pk: int) -> None:
    """Work out what a rulebook would do, unless somebody does."""
    forecast_actions.work_out(pk)


@shared_task(**SURE)
def reconcile_logs() -> None:
    """Compare what systems did with what they were allowed, where either log grew.

    By a right clock, which says what is complete: by a wrong one an act is a finding before its decision came.
    """
    reconciling.reconcile()


@shared_task(**SURE)
def look_for_interactions(pk: int) -> None:
    """Look on for a selection of interactions, unless somebody does; what was looked for a request is taken over."""
    selection_actions.look(pk)
    request_searches.go_on()


@shared_task(**SURE)
def look_for_requests() -> None:
    """Begin what waits of the texts that are looked for requests of persons."""
    request_searches.go_on()
