"""The knocks of the worker for what time does to cases. Thin, and each may run twice."""

from celery import shared_task

from governance import delivery
from governance.models import Delivery
from initiatives import actions, approval_mails, checkpoint_mails, sweeps
from initiatives.actions import estates, following, forecasts
from initiatives.profiling import running

SURE = {"acks_late": True, "reject_on_worker_lost": True, "ignore_result": True}


@shared_task(**SURE)
def expire_reviews() -> None:
    """End the reviews that nobody decided in time."""
    actions.expire_reviews()


@shared_task(**SURE)
def recompute_standings() -> None:
    """Rewrite the standings whose time ran out; open the debts of grace."""
    sweeps.recompute()


@shared_task(**SURE)
def follow_register() -> None:
    """Open and close the holds that dates in the register call for: terms that begin, sources that go out of date."""
    following.follow_register()


@shared_task(**SURE)
def enter_estates() -> None:
    """Let the rows of confirmed tables enter the register; what does not fit into one knock waits for the next."""
    estates.enter_waiting(seconds=180)


@shared_task(**SURE)
def find_missing_files() -> None:
    """Look for evidence whose file is gone, changed, or back."""
    actions.find_missing_files()


@shared_task(**SURE)
def check_file(key: int) -> None:
    """Look again at one file that somebody met and that was not as the record says."""
    actions.check_file(key=key)


@shared_task(**SURE)
def open_vacancy_debts() -> None:
    """Owe the chair an owner where one is missing for too long."""
    sweeps.open_vacancy_debts()


@shared_task(**SURE)
def send_digests() -> None:
    """Send everybody the week's digest of each unit of theirs that has not gone out."""
    delivery.deliver(kind=Delivery.DIGEST)


@shared_task(**SURE)
def mail_approvals() -> None:
    """Tell whoever is asked to approve something; soon, because a system waits."""
    approval_mails.send()


@shared_task(**SURE)
def mail_checkpoints() -> None:
    """Mail the checkpoint of each new decision on production to those who keep it elsewhere."""
    checkpoint_mails.send()


@shared_task(**SURE, time_limit=running.SECONDS + 40)  # less than what brings a lost task back
def measure_profile(pk: int) -> None:
    """Measure one sample, unless somebody does."""
    actions.measure_profile(pk)


@shared_task(**SURE)
def tend_samples() -> None:
    """Knock for each sample that waits or whose measuring was lost; remove those whose day has passed."""
    for pk in actions.claim_samples():
        measure_profile.delay(pk)
    actions.remove_samples()


@shared_task(**SURE)
def work_out_forecast(pk: int) -> None:
    """Work out what a rulebook would do, unless somebody does."""
    forecasts.work_out(pk)
