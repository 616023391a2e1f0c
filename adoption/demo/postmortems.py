"""The look back after go-live: written with its figures and a file, commented on, confirmed, read by everybody."""

from django.core.files.uploadedfile import SimpleUploadedFile

from adoption.demo.chapters import Tale
from adoption.postmortems import actions as postmortem_actions
from adoption.postmortems.attachments import attach
from adoption.postmortems.section_comments import comment, resolve_comment
from adoption.postmortems.writing import write

WRITTEN = {
    "expected": "A search in four minutes instead of fourteen, for 45 people in two plants, by the end of the quarter.",
    "timeline": "Week 1: plant 1. Week 3: plant 2, where half went on with the printed catalogue. Week 4: old names of "
    "parts were loaded. Week 5: nobody asked for paper any more.",
    "impact": "5 minutes a search in week 5, counted by the catalogue itself; 14 before. Two wrong parts were "
    "fetched, both in week 2.",
    "detected": "Every search is counted, by plant. Whether people then walk to the shelf twice is not measured.",
    "made_easy": "The plan had today's names of parts only. The people who have been there longest know the old ones.",
    "went_well": "The crew of plant 1 showed it to plant 2 themselves, at the shelf, with parts they needed that day.",
    "lucky": "No line stood still in week 2; both wrong parts were noticed before they were built in.",
    "no_gaps_because": "The names are loaded, and the catalogue's owner keeps them.",
    "causes": [
        {
            "side": "success",
            "said": "found",
            "layer": "integration",
            "grounds": "Searches that found nothing fell from a third to a twentieth on the day the old names came in.",
        },
        {
            "side": "success",
            "said": "assumed",
            "layer": "model",
            "by_whom": "vendor",
            "grounds": "The new version understands plants.",
        },
        {
            "side": "failure",
            "said": "found",
            "layer": "application",
            "grounds": "Plant 2 was asked after it had turned back to paper, not before.",
        },
        {
            "side": "failure",
            "said": "assumed",
            "layer": "application",
            "by_whom": "management",
            "grounds": "Plant 2 does not like new things.",
        },
    ],
    "lessons": [
        {
            "text": "Crews look for a thing by the name it had when they began; whoever knows only today's name finds "
            "nothing, and goes back to paper after two tries.",
            "instead": "Collect the old names from those who have been there longest, before the first day.",
            "layer": "integration",
            "pattern": "definitions",
            "tags": ["old names", "paper"],
        }
    ],
}
SEARCHES = """Week,Plant,Searches,Found nothing,Minutes
1,1,212,68,9
2,1,240,71,8
3,2,97,35,10
4,both,310,41,6
5,both,395,19,5
"""


def at_go_live(tale: Tale, ago: int) -> None:
    """The owner writes it, a seat of the board asks, the adoption seat publishes it; `ago` days before today."""
    asking, confirming = (tale.team.seats[seat] for seat in ("service_operations", "adoption_change"))
    with tale.day(ago):
        obligation = tale.again().obligations.open().get(kind="retrospective")
        row = write(
            post_mortem=postmortem_actions.start(obligation=obligation, by=tale.team.owner),
            **WRITTEN,
            by=tale.team.owner,
        )
        file = SimpleUploadedFile("searches.csv", SEARCHES.encode(), "text/csv")
        attach(post_mortem=row, title="Searches of five weeks, by plant", file=file, by=tale.team.owner)
        row = postmortem_actions.hand_in(post_mortem=row, version=row.version, by=tale.team.owner)
    with tale.day(ago - 2):
        asked = comment(
            post_mortem=row,
            section="impact",
            text="Is the night shift in these figures? It has a printed catalogue of its own.",
            by=asking,
        )
    with tale.day(ago - 3):
        comment(
            post_mortem=row,
            section="impact",
            text="It is: a fifth of the searches, and no longer than the others.",
            by=tale.team.owner,
        )
        resolve_comment(comment=asked, by=asking)
    with tale.day(ago - 5):
        postmortem_actions.confirm(post_mortem=row, version=row.version, by=confirming)
