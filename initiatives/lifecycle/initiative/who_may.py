"""The acts that a person may do on an initiative, and the moves that are offered to a chair."""

from functools import cached_property

from django.urls import reverse

from governance.models import User
from governance.permission_result import Answer, no
from governance.transparency_log import as_of
from governance.vocabulary import Role, Stage
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.access import roles_and_seats, visibility
from initiatives.lifecycle.facts import open_requirements
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.models import Initiative
from initiatives.models.stage_machine import EMERGENCY, REOPENING, STEP_BACK, UNJUDGED, Judgement, judged

# What a chair may do with an initiative: the kind of move, the verb of its page step, its words. To confirm production
# again moves no stage.
REATTEST = "reattest"
CHAIR_MOVES = (
    (STEP_BACK, "demote", "Demote stage"),
    (REATTEST, "confirm-production", phrase("Confirm production again")),
    (EMERGENCY, "retire", phrase("Retire in an emergency")),
    (REOPENING, "reopen", "Reopen"),
)
NOT_REOPENED_YET = phrase("Publish the post-mortem before you reopen the initiative")


def judgement_of_stop(initiative: Initiative) -> Judgement:
    """Return the judgement for reopening: earlier stage, post-mortem written.

    Raises Refused for an initiative that was not stopped.
    """
    if initiative.stage != Stage.STOPPED:
        no(
            "This initiative is not stopped, so it cannot be reopened.",
            "If the initiative is retired, register a successor.",
        ).or_refuse()
    return Judgement(
        was_prototype=initiative.stage_changes.filter(to_stage=Stage.PROTOTYPE).exists(),
        post_mortem_written=not initiative.obligations.open().filter(kind="post_mortem").exists(),
    )


class WhoMay:
    """The acts that the person may do: one Answer each, computed when used."""

    def __init__(self, initiative: Initiative, person: User):
        self.initiative, self.person = initiative, person

    @cached_property
    def roles(self) -> frozenset[str]:
        """Return the roles in force that the person accepted on the initiative."""
        return roles_and_seats.roles_of(self.initiative, self.person)

    @cached_property
    def owner(self) -> bool:
        """Return True if the person owns the initiative, or stands in for its owner."""
        return roles_and_seats.is_owner(self.initiative, self.person)

    @cached_property
    def turns(self) -> frozenset[str]:
        """Return the roles whose open requirements the person answers."""
        return open_requirements.turns_of(self.roles | ({Role.OWNER} if self.owner else frozenset()))

    @cached_property
    def team_member(self) -> bool:
        """Return True for people of the initiative or its board. Only they see why a button is closed."""
        return bool(self.roles) or self.owner or roles_and_seats.sits_on_board(self.initiative, self.person)

    @cached_property
    def seats(self) -> list[str]:
        """Return the signing seats that the person holds on the initiative's board now."""
        return roles_and_seats.seats_of(self.initiative, self.person)

    @cached_property
    def look_back(self) -> Answer:
        """Return the permission to see the initiative on another day."""
        return visibility.may_look_back(self.initiative, self.person)

    @cached_property
    def manage(self) -> Answer:
        """Return the permission of the owner to change details, contract and dependants."""
        return initiative_permissions.may_manage(self.initiative, self.person)

    @cached_property
    def describe(self) -> Answer:
        """Return the permission to describe name, costs and risks (`may_describe`)."""
        return initiative_permissions.may_describe(self.initiative, self.person)

    @cached_property
    def collaborate(self) -> Answer:
        """Return the permission to answer and to add evidence."""
        return initiative_permissions.may_collaborate(self.initiative, self.person)

    @cached_property
    def capture(self) -> Answer:
        """Return the permission to have a link captured."""
        return initiative_permissions.may_capture(self.initiative, self.person)

    @cached_property
    def change_what_runs(self) -> Answer:
        """Return the permission to change components and scope and to report changes."""
        return initiative_permissions.may_change_what_runs(self.initiative, self.person)

    @cached_property
    def propose_role(self) -> Answer:
        """Return the permission to propose someone for a role."""
        return initiative_permissions.may_propose_role(self.initiative, self.person)

    @cached_property
    def chair(self) -> Answer:
        """Return the permission to decide on the initiative."""
        return initiative_permissions.may_chair(self.initiative, self.person)

    @cached_property
    def moves(self) -> frozenset[str]:
        """Return the kinds of moves offered to the person now. A review's page offers those of a review."""
        judgement = judgement_of_stop(self.initiative) if self.initiative.stage == Stage.STOPPED else UNJUDGED
        with judged(self.initiative, judgement):
            return frozenset(
                one.custom["kind"]
                for one in self.initiative.get_available_user_stage_transitions(self.person)
            )

    @cached_property
    def chair_moves(self) -> list[tuple[str, str]]:
        """Return the stage acts of the chair as addresses with words. An act that has to wait has ""."""
        if not self.chair:
            return []
        kinds = self.moves | ({REATTEST} if self.initiative.stage == Stage.PRODUCTION else set())
        if self.initiative.stage == Stage.STOPPED and REOPENING not in kinds:
            return [("", NOT_REOPENED_YET)]
        return [
            (reverse("initiative-act", args=[self.initiative.ref, name]), words)
            for kind, name, words in CHAIR_MOVES
            if kind in kinds
        ]

    @cached_property
    def switch(self) -> Answer:
        """Return the permission to switch its systems off and on at once."""
        return initiative_permissions.may_switch(self.initiative, self.person)

    @cached_property
    def switch_off(self) -> bool:
        """Return True if its page offers the switch. An idea does not run systems yet."""
        return self.initiative.stage != Stage.PROPOSED and bool(self.switch)

    @cached_property
    def add_dependant(self) -> bool:
        """Return True if dependants can be recorded. An idea or a prototype has none."""
        return self.initiative.stage in (Stage.MVP, Stage.PRODUCTION) and bool(self.manage)

    @cached_property
    def manage_keys(self) -> Answer:
        """Return the permission to make, rotate and revoke keys of its systems."""
        return initiative_permissions.may_manage_keys(self.initiative, self.person)

    @cached_property
    def declare_pipelines(self) -> Answer:
        """Return the permission to declare and end pipelines that file evidence."""
        return initiative_permissions.may_change_what_runs(self.initiative, self.person)

    @cached_property
    def read_decision_requests(self) -> Answer:
        """Return the permission to read the requests of its systems."""
        return visibility.may_read_decision_requests(self.initiative, self.person)

    @cached_property
    def withdraw(self) -> Answer:
        """Return the permission to withdraw an idea registered by mistake."""
        return initiative_permissions.may_withdraw(self.initiative, self.person)

    @cached_property
    def hold(self) -> Answer:
        """Return the permission to raise a concern."""
        return initiative_permissions.may_hold(self.initiative, self.person)

    @cached_property
    def note(self) -> Answer:
        """Return the permission to record an event or an observation."""
        return initiative_permissions.may_note(self.initiative, self.person)

    @cached_property
    def fund(self) -> Answer:
        """Return the permission to record a funding decision."""
        return initiative_permissions.may_fund(self.initiative, self.person)

    @cached_property
    def go_on(self) -> Answer:
        """Return the permission to let it continue past its age."""
        return initiative_permissions.may_continue(self.initiative, self.person)

    @cached_property
    def confirm_tier(self) -> Answer:
        """Return the permission to confirm the proposed risk tier."""
        return initiative_permissions.may_confirm_tier(self.initiative, self.person)

    @cached_property
    def refuse_tier(self) -> Answer:
        """Return the permission to refuse the proposed risk tier."""
        return initiative_permissions.may_refuse_tier(self.initiative, self.person)

    @cached_property
    def open_file(self) -> Answer:
        """Return the permission to open the files of evidence."""
        return visibility.may_open_file(self.initiative, self.person)


class WhoMayNot(WhoMay):
    """The permissions on another day: no act is possible, and the reader has no task."""

    roles: frozenset[str] = frozenset()
    moves: frozenset[str] = frozenset()
    owner = team_member = False
    seats: tuple[str, ...] = ()
    manage = collaborate = change_what_runs = propose_role = chair = withdraw = hold = confirm_tier = no(
        "You are looking at an earlier day, so nothing can be changed.", "Return to today."
    )
    refuse_tier = note = fund = go_on = capture = switch = manage_keys = declare_pipelines = manage
    look_back = no("You are already looking at an earlier day.")


def who_may(initiative: Initiative, person: User) -> WhoMay:
    """Return the person's permissions here, for the day that the page shows."""
    return WhoMay(initiative, person) if as_of.current() is None else WhoMayNot(initiative, person)
