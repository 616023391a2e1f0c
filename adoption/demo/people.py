"""Who works at Northgate, the company of the demo: units, boards, accounts, and the rulebook they agreed on."""

from dataclasses import dataclass, field

from django.contrib.auth.hashers import make_password

from adoption.demo import initiative_acts
from adoption.demo.signatures import Signatures
from governance.audit_log import entries
from governance.database.row_history import acting
from governance.models import Board, Rulebook, Unit, User
from governance.organisation import actions as organisation_actions
from governance.rulebook import shipped_text
from governance.vocabulary import BoardRole, Seat
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.portfolio.rulebook_changes import draft_actions, forecast_actions, publication
from initiatives.portfolio.units import actions as unit_actions

COMPANY = "Northgate"
DOMAIN = "northgate.example"  # a domain that cannot exist: no mail of the demo reaches anybody

# code: (name, code of the unit above)
UNITS = {
    "northgate": (COMPANY, None),
    "retail": ("Retail", "northgate"),
    "accounts": ("Account management", "retail"),
    "stores": ("Stores", "retail"),
    "customer-service": ("Customer service", "northgate"),
    "finance": ("Finance", "northgate"),
    "hr": ("People and culture", "northgate"),
    "facilities": ("Facilities", "northgate"),
    "operations": ("Operations", "northgate"),
    "plants": ("Plants", "operations"),
    "logistics": ("Logistics", "operations"),
}


@dataclass(frozen=True)
class Person:
    """An account of the demo. `first`: what its owner tries first; only those people are listed as logins."""

    login: str
    name: str
    unit: str | None = None
    first: str = ""
    admin: bool = False
    auditor: bool = False
    privacy: bool = False


PEOPLE = (
    Person(
        "owner", "Marta Lindqvist", "accounts",
        "Answer what the board asked about Renewal letter drafts; see what you do for Nora Falk, who is away.",
    ),
    Person(
        "support", "Karim Haddad", "accounts",
        "Accept, or decline, to answer for the operation of the Onboarding guide.",
    ),
    Person(
        "lead", "Ravi Menon", "accounts",
        "Name who approved the new model of Ticket triage; then answer whether you take over from Ben Okoye.",
    ),
    Person("steward", "Hanna Vogel", "accounts", "Meet the condition that the board set on Ticket triage."),
    Person("seat-value", "Amara Diallo", None, "Read the contract of Cash forecast notes and approve it."),
    Person(
        "seat-risk", "Ines Okafor", None,
        "Sign Renewal letter drafts: the review waits for nobody else; then confirm a risk tier.",
    ),
    Person(
        "seat-security", "Olu Adeyemi", None,
        "Sign Refund plausibility check again: see exactly why your sign-off went stale.",
    ),
    Person(
        "seat-architecture", "Tomas Ek", None,
        "Accept, or not, that a requirement does not apply to the Onboarding guide.",
    ),
    Person("seat-operations", "Grace Kim", None, "Sign, or object to, Refund plausibility check: high risk."),
    Person("seat-adoption", "Luis Ortega", None, "Confirm the post-mortem of Store question desk, or say why not."),
    Person(
        "chair", "Elena Novak", None,
        "Decide the Offer wording check: every seat has signed; then say what the unknown model is.",
    ),
    Person(
        "deputy-chair", "Jonas Weber", None,
        "Decide the Shift wish planner in the chair's place: the chair sponsors it and may not.",
    ),
    Person(
        "admin", "Per Dahl", None,
        "Look through the inventory that waits to be confirmed, then through what was imported.", admin=True,
    ),
    Person("auditor", "Mei Tan", None, "Open Customer summary assistant and read its activity.", auditor=True),
    Person(
        "privacy", "Vera Lang", None,
        "Open the interaction log of Customer summary assistant, and take a file of “account-manager-40”.",
        privacy=True,
    ),
    Person(
        "outsider", "Sam Brook", "facilities",
        "Describe your own idea; then try to open somebody else's initiative by its reference.",
    ),
    # Everybody else has an account too, with the same password. Ayesha Rahman also needs her passkey.
    Person("second-admin", "Noor Aziz", admin=True),
    Person("sponsor", "Ada Moreau", "northgate"),
    Person("nora", "Nora Falk", "accounts"),
    Person("felix", "Felix Brandt", "stores"),
    Person("oona", "Oona Salmi", "customer-service"),
    Person("priya", "Priya Nair", "finance"),
    Person("emil", "Emil Sand", "finance"),
    Person("tove", "Tove Berg", "plants"),
    Person("hugo", "Hugo Martin", "hr"),
    Person("diego", "Diego Ramos", "plants"),
    Person("lena", "Lena Fischer", "logistics"),
    Person("yara", "Yara Costa", "customer-service"),
    Person("ben", "Ben Okoye", "customer-service"),
    Person("sofia", "Sofia Rinaldi", "customer-service"),
    Person("bruno", "Bruno Keller"),
    Person("ayesha", "Ayesha Rahman"),
    Person("freya", "Freya Lund"),
    Person("ivo", "Ivo Petrov"),
    Person("nils", "Nils Holm"),
    Person("carmen", "Carmen Vidal"),
    Person("ruth", "Ruth Amsel"),
    Person("peter", "Peter Lowe"),
)  # fmt: skip

# unit of the board: (its name, who sits where, in the order of BoardRole)
BOARDS = {
    "northgate": (
        "AI board",
        "seat-value seat-risk seat-security seat-architecture seat-operations seat-adoption chair deputy-chair",
    ),
    "operations": ("Operations board", "bruno ayesha freya ivo nils carmen ruth peter"),
}

# The people beside the owner on an initiative, by the unit that asks for them.
CREWS = {
    "support": ("support", "lead", "steward"),
    "yara": ("yara", "ben", "sofia"),
    "mixed": ("yara", "lead", "sofia"),
}


@dataclass
class Company:
    """Everybody and everything of the demo, by login and by code."""

    people: dict[str, User]
    units: dict[str, Unit]
    boards: dict[str, Board]
    signatures: Signatures = field(default_factory=Signatures)

    def __getitem__(self, login: str) -> User:
        return self.people[login]

    def team(self, unit: str, owner: str, crew: str = "support") -> initiative_acts.Team:
        """The team of an initiative: its owner, the crew beside them, and the board that decides."""
        support, lead, steward = (self.people[login] for login in CREWS[crew])
        return initiative_acts.team_for(
            self.units[unit], owner=self.people[owner], support=support, lead=lead, steward=steward
        )


def found(password: str) -> Company:
    """Found the company: the first admin, who adds units, people and boards; admin and chair publish the rules."""
    encoded = make_password(password)  # once for all: the hash is slow on purpose
    first = next(person for person in PEOPLE if person.admin)
    with acting(system="demo", reason="First admin of the demo"):
        admin = User(login=first.login, full_name=first.name, email=f"{first.login}@{DOMAIN}", is_admin=True)
        admin.password = encoded
        admin.save()
        entries.record(
            EntryKind.ACCOUNT_ADDED,
            person=admin.full_name,
            person_id=admin.pk,
            login=admin.login,
            admin=True,
            auditor=False,
        )
    units: dict[str, Unit] = {}
    for code, (name, parent) in UNITS.items():
        units[code] = organisation_actions.add_unit(name=name, code=code, parent=units.get(parent), by=admin)
    people = {admin.login: admin}
    for person in PEOPLE:
        if person.login not in people:
            people[person.login] = organisation_actions.add_person(
                login=person.login,
                full_name=person.name,
                email=f"{person.login}@{DOMAIN}",
                unit=units[person.unit] if person.unit else None,
                is_admin=person.admin,
                is_auditor=person.auditor,
                is_privacy_officer=person.privacy,
                by=admin,
            )
    with acting(system="demo", reason="Password of the demo"):
        for person in people.values():
            person.password = encoded
            person.save()
            entries.record(
                EntryKind.PASSWORD_SET, person=person.full_name, person_id=person.pk, how="of the demo"
            )
    boards = {}
    for code, (name, logins) in BOARDS.items():
        boards[code] = organisation_actions.add_board(name=name, unit=units[code], by=admin)
        for seat, login in zip(BoardRole, logins.split(), strict=True):
            organisation_actions.appoint(board=boards[code], person=people[login], seat=seat.value, by=admin)
    # At high risk two persons verify: the seats of the board of the company have second holders.
    for seat, login in zip(Seat, BOARDS["operations"][1].split(), strict=False):
        second = people[login]
        organisation_actions.appoint(board=boards["northgate"], person=second, seat=seat.value, by=admin)
    unit_actions.take_over(
        board=boards["operations"], reason="The operations board has all its seats.", by=admin
    )
    rulebook = organisation_actions.load_rulebook(source=shipped_text(), by=admin)
    organisation_actions.propose_publication(rulebook=rulebook, by=admin)
    publication.publish_rulebook(rulebook=rulebook, by=people["chair"])
    return Company(people, units, boards)


def try_rulebooks(company: Company) -> None:
    """A draft that somebody works on, and what it would do to every initiative."""
    admin = company["admin"]
    draft = draft_actions.copy_rulebook(base=Rulebook.objects.current(), version="1.1", by=admin)
    before, row, after = draft.source.partition('key = "mvp.users"')
    after = after.replace('evidence = ["system_record", "document"]', 'evidence = ["drill_record"]', 1)
    source = (before + row + after).replace("sign_off_max_age_days = 45", "sign_off_max_age_days = 30")
    draft = draft_actions.replace_draft(draft=draft, source=source, based_on=draft.number, by=admin)
    forecast_actions.work_out(forecast_actions.ask_forecast(of=draft, by=admin).pk)


def logins() -> list[Person]:
    """The accounts that the start prints: one for each kind of user."""
    return [person for person in PEOPLE if person.first]
