"""What people ask of AI systems: one was given a copy of what is held of them, and one waits."""

from datetime import timedelta

from adoption.demo.chapters import Tale
from adoption.demo.people import Company
from adoption.demo.stories.running import LEFT
from governance import clock
from initiatives.interactions.requests import actions, copies, hits, searches
from initiatives.models import SubjectRequest

NAME = "Jana Fuchs"


def answered(company: Company, tale: Tale) -> None:
    """Somebody who left asks for a copy, and gets it."""
    officer = company["privacy"]
    with tale.evening(6):
        request = _received(company, NAME, LEFT, days=1)
        request = actions.check_identity(
            request=request, how="She named the day on which her account was closed.", by=officer
        )
    with tale.evening(5):
        searches.search(request=request, by=officer)
        for hit in request.hits.all():
            hits.open_hit(hit=hit, by=officer)
            hits.judge(hit=hit, belongs=True, by=officer)
        export = copies.make_copy(request=request, by=officer)
        copies.take_copy(export=export, by=officer)
    with tale.evening(4):
        words = "The copy was handed over in person, with the way to check it."
        actions.answer(request=request, outcome="met", words=words, by=officer)
        actions.close(request=request, by=officer)


def waiting(company: Company) -> None:
    """Another person's request came in yesterday."""
    with clock.simulated(clock.now() - timedelta(days=1)):
        _received(company, "Theo Brandl", "account-manager-3", days=0)


def _received(company: Company, name: str, called: str, *, days: int) -> SubjectRequest:
    """A request that came in so many days before it is recorded."""
    return actions.receive(
        kind="access",
        channel="mail",
        received_on=clock.today() - timedelta(days=days),
        name=name,
        contact=f"{name.split()[0].lower()}@mail.example",
        identifiers=[called],
        words="What do your systems hold of me?",
        by=company["privacy"],
    )
