"""Who may write, publish and confirm a post-mortem, as answers that carry their reasons."""

from governance.answers import Answer, no, yes
from governance.boards import board_for, members_now, seat_holders
from governance.models import User
from initiatives import permissions
from initiatives.actions.holds import may_settle
from initiatives.models import Initiative, Obligation

WRITTEN = ("post_mortem", "retrospective")
SEAT = "adoption_change"


def may_start(obligation: Obligation, person: User) -> Answer:
    """Begin the post-mortem that settles this debt: whoever may settle it, while it is owed."""
    if obligation.kind not in WRITTEN:
        return no("This debt is not settled by a post-mortem.", "Settle it on its own page.")
    if obligation.settled_at:
        return no("This is settled already.", "Read its post-mortem.")
    return may_settle(obligation.initiative, obligation, person)


def may_write(post_mortem, person: User) -> Answer:
    """Change and publish it: whoever may settle the debt, while it is a draft."""
    if post_mortem.state != post_mortem.DRAFT:
        return no(
            f"It is {post_mortem.get_state_display().lower()}; its words no longer change.",
            "The adoption seat can send it back." if post_mortem.state == post_mortem.PUBLISHED else "",
        )
    return may_start(post_mortem.obligation, person)


def may_confirm(post_mortem, person: User) -> Answer:
    """Confirm it or send it back: the adoption seat of the case's board, party to nothing, not its writer."""
    case = post_mortem.initiative
    if post_mortem.state == post_mortem.DRAFT:
        return no("It is not published yet.", f"{post_mortem.author} is writing it.")
    if post_mortem.state == post_mortem.CONFIRMED:
        return no(f"{post_mortem.confirmed_by} confirmed it already.")
    if not permissions.holds_seat(case, person, SEAT):
        return no("Only the adoption seat of the case's board confirms this.", _seated(case))
    if barred := permissions.barred_from_signing(case, person):
        return no("; ".join(barred).capitalize() + ".", "Somebody else in the seat can confirm it.")
    if person.pk in (post_mortem.author_id, post_mortem.published_by_id, post_mortem.obligation.debtor_id):
        return no(
            "Nobody confirms what they wrote or owe themselves.", "Somebody else in the seat can confirm it."
        )
    return yes()


def confirmers(case: Initiative) -> list[User]:
    """Who holds the adoption seat of the case's board and is not party to the case."""
    return [
        member.person
        for member in seat_holders(members_now(board_for(case.unit)), SEAT)
        if not permissions.barred_from_signing(case, member.person)
    ]


def _seated(case: Initiative) -> str:
    people = confirmers(case)
    if people:
        return f"Ask {' or '.join(person.full_name for person in people)}."
    return "Nobody sits there who could; an admin can appoint somebody."
