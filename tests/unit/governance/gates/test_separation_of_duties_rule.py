"""The one rule of separation of duties, over plain values: by hand from docs/domain.md, invariants 4 and 5."""

import pytest

from governance.gates.separation_of_duties import (
    Part,
    RestsOn,
    Signer,
    TeamMembers,
    said,
    why_barred,
    why_own_work,
)

ANNA, BEN, CLEO = 1, 2, 3
LEAD = Part("technical_lead", "technical lead")
PROPOSED = Part("sponsor", "sponsor", proposed=True)
STANDS_IN = Part("owner", "business owner", stands_in_for="Ben")


def signer(**fields):
    return Signer(**({"id": ANNA, "name": "Anna"} | fields))


@pytest.mark.parametrize(
    ("who", "seat", "team_members", "approving", "objecting"),
    [
        (signer(), "risk_compliance", TeamMembers(), [], []),
        (signer(), "risk_compliance", TeamMembers({BEN: (LEAD,)}, stand_in=BEN, owner=BEN), [], []),
        (signer(active=False), "risk_compliance", TeamMembers(), *[["Anna is no longer active"]] * 2),
        (
            signer(),
            "risk_compliance",
            TeamMembers({ANNA: (LEAD,)}),
            *[["Anna is technical lead of this initiative"]] * 2,
        ),
        (
            signer(),
            "risk_compliance",
            TeamMembers({ANNA: (PROPOSED,)}),
            ["Anna is proposed as sponsor of this initiative"],
            [],
        ),
        (
            signer(),
            "risk_compliance",
            TeamMembers({ANNA: (STANDS_IN,)}),
            *[["Anna stands in for Ben, business owner of this initiative"]] * 2,
        ),
        (
            signer(),
            "risk_compliance",
            TeamMembers(stand_in=ANNA),
            *[["Anna registered this initiative and stands in for its owner"]] * 2,
        ),
        (signer(manager=BEN), "business_value", TeamMembers(owner=BEN), ["Anna reports to the owner"], []),
        (signer(manager=BEN), "risk_compliance", TeamMembers(owner=BEN), [], []),
        (signer(manager=CLEO), "business_value", TeamMembers(owner=BEN), [], []),
        (signer(), "business_value", TeamMembers(), [], []),
    ],
)
def test_who_must_not_sign(who, seat, team_members, approving, objecting):
    assert why_barred(who, seat, team_members) == approving
    assert why_barred(who, seat, team_members, approving=False) == objecting


def test_nobody_approves_their_own_work():
    wrote = RestsOn(evidence_authors=frozenset({ANNA, BEN}), contract_authors=frozenset({ANNA}))
    both = ["Anna wrote evidence that the sign-off covers", "Anna wrote the contract"]
    assert why_own_work(signer(), wrote) == both
    assert why_barred(signer(), "risk_compliance", TeamMembers(), rests_on=wrote) == both
    assert why_own_work(Signer(BEN, "Ben"), wrote) == ["Ben wrote evidence that the sign-off covers"]
    assert why_own_work(Signer(CLEO, "Cleo"), wrote) == []


def test_reasons_are_one_sentence_in_which_names_keep_their_letters():
    assert said(["the seat is empty", "Anna McKay is away"]) == "The seat is empty; Anna McKay is away."
