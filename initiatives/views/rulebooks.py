"""Publishing a rulebook: beside the cases, because it changes what every case's proof supports."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from governance import clock
from governance.answers import Answer, no, yes
from governance.models import Membership, Rulebook, User
from governance.models.people import CHAIR
from initiatives import actions
from initiatives.models import Initiative, Review


@require_http_methods(["GET", "HEAD", "POST"])
def publish(request: HttpRequest, version: str) -> HttpResponse:
    """Say how many cases are computed anew, then publish as chair."""
    rulebook = get_object_or_404(Rulebook.objects.select_related("admin"), version=version.replace("\0", ""))
    if request.method == "POST":
        actions.publish_rulebook(rulebook=rulebook, by=request.user)
        messages.success(request, f"Rulebook {version} is in force. Every case was computed anew.")
        return redirect("rulebook-version", rulebook.version)
    cases = Initiative.objects.live().count()
    reviews = Review.objects.filter(outcome=Review.OPEN).count()
    context = {
        "nav": "rulebook",
        "rulebook": rulebook,
        "answer": _offered(rulebook, request.user),
        "happens": [
            f"Version {rulebook.version} is in force from this moment, and can no longer be changed.",
            f"What proof supports is computed anew for {cases} case{'' if cases == 1 else 's'}; "
            "claimed stages stay as they are.",
            f"{reviews} open review{' keeps' if reviews == 1 else 's keep'} the version "
            f"{'it was' if reviews == 1 else 'they were'} opened with.",
        ],
    }
    return render(request, "governance/rulebook_publish.html", context)


def _offered(rulebook: Rulebook, person: User) -> Answer:
    """Whether the page offers the button; the act itself asks again."""
    if rulebook.published:
        return no(f"Version {rulebook.version} was published already.")
    if rulebook.admin_id is None:
        return no("No admin has proposed to publish it.", "An admin does that on its page.")
    if rulebook.admin_id == person.pk:
        return no("You proposed it: admin and chair are two people.", "A chair publishes it.")
    if not Membership.objects.held_at(clock.now()).filter(person=person, seat=CHAIR).exists():
        return no("Only the chair of a board publishes a rulebook.", "Ask one of them.")
    return yes()
