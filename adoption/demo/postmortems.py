"""Post-mortems: after a go-live, with figures, a file and comments; after a stop; and one that is to be confirmed."""

from django.core.files.uploadedfile import SimpleUploadedFile

from adoption.demo.chapters import Tale
from adoption.models import PostMortem
from adoption.postmortems import actions as postmortem_actions
from adoption.postmortems.attachments import attach
from adoption.postmortems.section_comments import comment, resolve_comment
from adoption.postmortems.writing import write

WRITTEN = {
    "expected": "A search in four minutes instead of fourteen, for 45 people in two plants, by the end of the "
    "quarter.",
    "timeline": "Week 1: plant 1. Week 3: plant 2, where half went on with the printed catalogue. Week 4: old names "
    "of parts were loaded. Week 5: nobody asked for paper any more.",
    "impact": "5 minutes a search in week 5, counted by the catalogue itself; 14 before. Two wrong parts were "
    "fetched, both in week 2.",
    "detected": "Every search is counted, by plant. Whether people then walk to the shelf twice is not measured.",
    "made_easy": "The plan had today's names of parts only. The people who have been there longest know the old ones.",
    "went_well": "The crew of plant 1 showed it to plant 2 themselves, at the shelf, with parts they needed that day.",
    "lucky": "No line stood still in week 2; both wrong parts were noticed before they were built in.",
    "no_gaps_because": "The names are loaded, and the catalogue's owner keeps them.",
    "causes": [
        {"side": "success", "said": "found", "layer": "integration",
         "grounds": "Searches that found nothing fell from a third to a twentieth on the day the old names came in."},
        {"side": "success", "said": "assumed", "layer": "model", "by_whom": "vendor",
         "grounds": "The new version understands plants."},
        {"side": "failure", "said": "found", "layer": "application",
         "grounds": "Plant 2 was asked after it had turned back to paper, not before."},
        {"side": "failure", "said": "assumed", "layer": "application", "by_whom": "management",
         "grounds": "Plant 2 does not like new things."},
    ],
    "lessons": [
        {
         "text": "Crews look for a thing by the name it had when they began; whoever knows only today's name finds "
         "nothing, and goes back to paper after two tries.",
         "instead": "Collect the old names from those who have been there longest, before the first day.",
         "layer": "integration", "pattern": "definitions", "tags": ["old names", "paper"]},
    ],
}  # fmt: skip
STOPPED = {
    "expected": "Calls written down for ten agents in Lisbon, so that disputes about what was agreed end.",
    "timeline": "Week 1: test calls. Week 3: the first real call. Week 4: an agent asked who had agreed. Stopped.",
    "impact": "Ten agents went back to notes by hand. Forty recordings of test calls are deleted.",
    "detected": "An agent asked before the second real call. No list says who agreed, and no screen asks.",
    "made_easy": "The consent register holds customers of the shop, not callers. Nobody had compared the two.",
    "went_well": "It was stopped on the day of the question.",
    "no_gaps_because": "The recordings are deleted, and the telephone system records nothing.",
    "causes": [
        {"side": "failure", "said": "found", "layer": "integration",
         "grounds": "Of forty callers three stood in the consent register."},
        {"side": "failure", "said": "assumed", "layer": "policy", "by_whom": "management",
         "grounds": "Agents should have asked each caller."},
    ],
    "lessons": [
        {
         "text": "What an agent writes into a solved ticket was often said by a caller who agreed to nothing but an "
         "answer.",
         "instead": "Ask before the first draft which solved tickets may be read, and by whose agreement.",
         "layer": "policy", "pattern": "data_access", "tags": ["solved tickets", "agreement"]},
    ],
}  # fmt: skip
REFUSED = {
    "expected": "An answer desk in eleven stores by the end of the month, on trial.",
    "timeline": "Built in three weeks. Shown to store leads in the fourth. Refused in the seventh.",
    "impact": "Eleven stores expected an answer desk by the end of the month and have none.",
    "detected": "The risk seat asked who had told the staff, and nobody could say. Two weeks before the gate.",
    "made_easy": "The handbook has no owner in the stores, and no checklist asks who tells the users.",
    "went_well": "The answers themselves were right in nine of ten tries.",
    "no_gaps_because": "Nothing ran, so nothing is left open.",
    "causes": [
        {"side": "failure", "said": "found", "layer": "integration",
         "grounds": "The handbook has no owner in the stores, so nobody could say who tells the staff."},
        {"side": "failure", "said": "assumed", "layer": "model", "by_whom": "management",
         "grounds": "The model was not good enough for stores."},
    ],
    "lessons": [
        {"text": "Name who tells the users before asking for the gate.",
         "instead": "Ask each store lead for one name, and put the names into the rollout plan.",
         "layer": "application", "pattern": "ownership", "tags": ["rollout", "store staff"]},
    ],
}  # fmt: skip
SEARCHES = """Week,Plant,Searches,Found nothing,Minutes
1,1,212,68,9
2,1,240,71,8
3,2,97,35,10
4,both,310,41,6
5,both,395,19,5
"""


def _handed_in(tale: Tale, kind: str, texts: dict, file: SimpleUploadedFile | None = None) -> PostMortem:
    """The owner writes what the obligation asks and hands it in."""
    obligation = tale.again().obligations.open().get(kind=kind)
    row = write(
        post_mortem=postmortem_actions.start(obligation=obligation, by=tale.team.owner),
        **texts,
        by=tale.team.owner,
    )
    if file is not None:
        attach(post_mortem=row, title="Searches of five weeks, by plant", file=file, by=tale.team.owner)
    return postmortem_actions.hand_in(post_mortem=row, version=row.version, by=tale.team.owner)


def at_go_live(tale: Tale, ago: int) -> None:
    """The owner writes it, a seat of the board asks, the adoption seat publishes it; `ago` days before today."""
    asking, confirming = (tale.team.seats[seat] for seat in ("service_operations", "adoption_change"))
    with tale.day(ago):
        file = SimpleUploadedFile("searches.csv", SEARCHES.encode(), "text/csv")
        row = _handed_in(tale, "retrospective", WRITTEN, file)
    said = {"post_mortem": row, "section": "impact"}
    with tale.day(ago - 2):
        words = "Is the night shift in these figures? It has a printed catalogue of its own."
        asked = comment(**said, text=words, by=asking)
    with tale.day(ago - 3):
        words = "It is: a fifth of the searches, and no longer than the others."
        comment(**said, text=words, by=tale.team.owner)
        resolve_comment(comment=asked, by=asking)
    with tale.day(ago - 5):
        postmortem_actions.confirm(post_mortem=row, version=row.version, by=confirming)


def after_the_stop(tale: Tale, ago: int) -> None:
    """The owner writes it, the adoption seat publishes it."""
    with tale.day(ago):
        row = _handed_in(tale, "post_mortem", STOPPED)
    with tale.day(ago - 4):
        seat = tale.team.seats["adoption_change"]
        postmortem_actions.confirm(post_mortem=row, version=row.version, by=seat)


def after_the_refusal(tale: Tale, ago: int) -> None:
    """The owner writes it; it waits for the adoption seat."""
    with tale.day(ago):
        _handed_in(tale, "post_mortem", REFUSED)
