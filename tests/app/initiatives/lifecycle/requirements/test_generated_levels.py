"""The level that pages and files of generated initiatives show is the level that their rows in the database support."""

import random

import pytest
from bs4 import BeautifulSoup

from adoption.demo import artefacts, initiative_acts
from governance import clock
from governance.rulebook import parse, shipped_text
from governance.vocabulary import Level
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.evidence.verification import actions as verification_actions
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.models import Answer, Coverage, Evidence, Verification
from tests.support import factories
from tests.support.initiatives.initiative_pages import at

pytestmark = pytest.mark.django_db
RULEBOOK = parse(shipped_text())
GENERATED = 4
# Requirements that take a word and a document, so that each level below measured can be reached.
KEYS = (
    "mvp.problem",
    "proto.question",
    "proto.scope",
    "proto.assumptions",
    "proto.to_advance",
    "mvp.success",
)
ENDS = ("nothing", "stated", "documented", "verified", "refused", "changed")


def happens(cast, initiative, key, end):
    """Acts on one requirement, up to and including this one."""
    says = {"initiative": initiative, "requirement": key, "kind": "answered", "by": cast.owner}
    attested = {"true_as_of": clock.today()} if "attestation" in RULEBOOK.requirements[key].evidence else {}
    if end == "nothing":
        return
    requirement_actions.answer(text=f"What is asked by {key}.", **says, **attested)
    if end == "stated":
        return
    item = evidence_actions.add_evidence(
        initiative=initiative,
        kind="document",
        title=f"Paper about {key}",
        observed_on=clock.today(),
        covers=[key],
        file=artefacts.pdf(f"{initiative.ref} {key}"),
        by=cast.owner,
    )
    if end == "documented":
        return
    seat = cast.seats[RULEBOOK.seats_asking(key)[0]]
    verification_actions.open_item(initiative=initiative, evidence=item, way="look", by=seat)
    verification_actions.verify(
        evidence=item,
        requirement=key,
        shows=end != "refused",
        place="First page",
        words=f"It tells {key} of {initiative.ref}.",
        fingerprint=item.fingerprint,
        answer_version=Answer.objects.get(initiative=initiative, requirement=key).version,
        by=seat,
    )
    if end == "changed":
        requirement_actions.answer(text=f"Something else about {key}.", **says, **attested)


def supported(initiative, key):
    """The level that the rows support, read from the tables."""
    answer = Answer.objects.filter(initiative=initiative, requirement=key).first()
    if answer is None:
        return ""
    items = Coverage.objects.filter(evidence__initiative=initiative, requirement=key).values("evidence")
    papers = Evidence.objects.filter(pk__in=items, kind="document")
    said = Verification.objects.filter(
        evidence__in=papers, requirement=key, answer_version=answer.version
    ).values_list("shows", flat=True)
    if papers and False not in said:
        return "verified" if True in said else "documented"
    return "stated" if Evidence.objects.filter(pk__in=items, kind="attestation").exists() else ""


def test_the_pages_of_generated_initiatives_show_the_levels_of_their_rows(cast, as_):
    factories.make_rulebook(cast.admin, cast.chair, shipped_text())
    seen = set()
    for seed in range(GENERATED):
        chance = random.Random(seed)
        initiative = factories.make_initiative(cast, title=f"Generated {seed}")
        initiative_acts.parts(initiative, cast.team)
        for key in KEYS:
            happens(cast, initiative_acts.fresh(initiative), key, chance.choice(ENDS))
        for key in KEYS:
            page = as_(cast.owner).get(at("requirement", initiative.ref, key)).content
            told = (
                BeautifulSoup(page, "html.parser")
                .select_one("section.stack > div.row > .tag")
                .get_text(strip=True)
            )
            level = supported(initiative, key)
            assert (told if told in Level else "") == level, (seed, key)
            assert supported_stage.judged(initiative_acts.fresh(initiative)).states[key].level == level
            seen.add(level)
    assert seen == {"", "stated", "documented", "verified"}
