"""People, the units they work in, and the boards they sit on."""

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from governance import clock
from governance.database.row_history import DatabaseNow, acting, governed
from governance.database.text_search import Words
from governance.vocabulary import BoardRole
from governance.vocabulary.entry_kinds import EntryKind

LONGEST_PATH = 400
LONGEST_LOGIN = 254  # as long as an email address, which directories use as a login
# Inside [] of a regular expression: letters and digits of every script, and what Entra ID and Okta allow in a login
# (' . - _ ! # ^ ~, and for addresses + and &). A login appears in sentences, addresses, tables and filters: no
# white space, quotation mark, bracket, slash, comma, semicolon, colon, asterisk, percent or equals sign is taken, nor
# a character that readers cannot see.
LOGIN_LETTERS = r"\w.@+'#!^~&\-"
LOGIN_HELP = "Use letters, digits and . @ + - _ ' # ! ^ ~ & only."
IMPORTED = "imported"  # code of the unit below which imports put those that a list names


class UnitQuerySet(models.QuerySet):
    def living(self):
        """Units that people work in and initiatives belong to: those that were merged away are kept to be read."""
        return self.filter(merged_into__isnull=True)

    def own(self):
        """Return the living units of this organisation. Imported ones wait until an admin takes them over."""
        return self.living().without_others()

    def without_others(self):
        """Units of this organisation, those that were merged away too."""
        return self.exclude(path__startswith=f"/{IMPORTED}/")

    def of_external_inventories(self):
        """Return the units of external inventories that no admin took over, with the root."""
        return self.filter(path__startswith=f"/{IMPORTED}/")


class Unit(models.Model):
    """A part of the organisation. `path` lists the keys from the root down, so that a subtree is one filter."""

    name = models.CharField(max_length=120)
    code = models.SlugField(max_length=40, unique=True)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    path = models.CharField(max_length=LONGEST_PATH, editable=False, default="", db_index=True)
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="merged", editable=False
    )

    objects = UnitQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args, **kwargs):
        """Keep the path with the parent. Only the acts on units, in the app above, move a unit."""
        self.path = f"{self.parent.path if self.parent else '/'}{self.code}/"
        super().save(*args, **kwargs)

    @property
    def imported(self) -> bool:
        """Return True if an imported list named the unit and no admin has taken it over."""
        return self.path.startswith(f"/{IMPORTED}/")

    @property
    def taken_over_first(self) -> str:
        """Return why an imported unit cannot take own rows, and what to do."""
        return f"{self} came with an imported list. Choose another unit, or ask an admin to take it over."

    @property
    def label(self) -> str:
        """Return its name where units are chosen among others, imported ones marked."""
        return f"{self.name} (imported)" if self.imported else self.name

    def ancestor_codes(self) -> list[str]:
        """Codes from the unit itself up to the root: the order in which a board is looked for."""
        return [code for code in reversed(self.path.split("/")) if code]


class UserManager(BaseUserManager["User"]):
    def create_user(self, login: str, password: str | None = None, **fields) -> "User":
        """Make a person, inside `acting`. Without a password no one can sign in as the person."""
        user = self.model(login=login, **fields)
        user.set_password(password)
        user.save()
        return user

    def create_superuser(self, login: str, password: str | None = None, **fields) -> "User":
        """Make the first admin from the command line. Raises ValidationError where there is one."""
        from governance.sign_in.first_admin import make  # acts lie above rows

        return make(login=login, password=password, system="createsuperuser", **fields)

    def get_by_natural_key(self, login: str | None) -> "User":
        """Return the user with this sign-in name, without regard to case."""
        return self.get(login__iexact=login)


class UserQuerySet(models.QuerySet):
    def active(self):
        """People who may hold a role or a seat."""
        return self.filter(is_active=True)


class User(AbstractBaseUser):
    """A person. Rights come from roles and seats, except the marks admin, auditor and privacy officer."""

    hidden_from_auditors = ("password",)

    last_login = None  # The sign-in is an entry in the audit log; a write without an actor would be refused.

    login = models.CharField(
        max_length=LONGEST_LOGIN,
        unique=True,
        validators=[RegexValidator(rf"\A[{LOGIN_LETTERS}]+\Z", LOGIN_HELP)],
    )
    full_name = models.CharField(max_length=120)
    email = models.EmailField(blank=True, default="")
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, related_name="people")
    manager = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="reports")
    is_active = models.BooleanField(default=True)
    is_admin = models.BooleanField(default=False)
    is_auditor = models.BooleanField(default=False)
    is_privacy_officer = models.BooleanField(default=False)
    joined_at = models.DateTimeField(default=clock.now)
    # From when the person signs again what lets an initiative rise, after somebody else reset the password or gave the
    # rights of an admin (cooling_off).
    signs_from = models.DateTimeField(null=True, blank=True, editable=False)
    # When somebody else changed the address, until a password is set: links wait a day before they go there.
    address_changed_at = models.DateTimeField(null=True, blank=True, editable=False)

    # Whether another account may be the same human's (`SamePerson`): then both count as one on every initiative.
    may_be_another = models.BooleanField(default=False, editable=False)

    objects = UserManager.from_queryset(UserQuerySet)()
    history = governed(excluded_fields=["password"])

    USERNAME_FIELD = "login"
    REQUIRED_FIELDS = ["full_name", "email"]

    class Meta:
        ordering = ["full_name"]
        constraints = [
            models.UniqueConstraint(
                Lower("login"),
                name="logins_differ_in_more_than_case",
                violation_error_message="This name is already taken.",
            )
        ]
        indexes = [GinIndex(Words("full_name"), name="people_by_words")]

    def __str__(self) -> str:
        return self.full_name

    def get_full_name(self) -> str:
        """Return the printed name."""
        return self.full_name

    def get_short_name(self) -> str:
        """Return the printed name: people are not shortened here."""
        return self.full_name

    @property
    def is_staff(self) -> bool:
        """Return True for admins, and for auditors, who open the Django admin read-only."""
        return self.is_active and (self.is_admin or self.is_auditor)

    @property
    def is_superuser(self) -> bool:
        """Django's name for an admin. It opens the admin site and nothing that separation of duties closes."""
        return self.is_active and self.is_admin

    def has_perm(self, perm: str, obj=None) -> bool:
        """Admin site only: admins may, auditors may view. Acts ask `permissions.py`, never this."""
        if not self.is_active:
            return False
        return self.is_admin or (self.is_auditor and perm.split(".")[-1].startswith("view_"))

    def has_perms(self, perms, obj=None) -> bool:
        """Return True if the user has every one of `perms`."""
        return all(self.has_perm(perm, obj) for perm in perms)

    def has_module_perms(self, app_label: str) -> bool:
        """Return True if the app shows in the admin site."""
        return self.is_staff

    def check_password(self, raw_password: str) -> bool:
        """Return True for the right password. A rehash is an act of the person (docs/architecture.md, trap 20)."""
        from django.contrib.auth.hashers import check_password  # which asks for the model of people

        from governance.audit_log import entries  # acts lie above rows

        def rehash(raw: str) -> None:
            with acting(by=self, reason="Password stored with the current hashing cost"):
                self.set_password(raw)
                self._password = None
                self.save()
                entries.record(EntryKind.PASSWORD_HASHED_AGAIN, person=self.full_name, person_id=self.pk)

        return check_password(raw_password, self.password, rehash)


class Board(models.Model):
    """Six seats, a chair and a deputy for the units below its own.

    An initiative's board is the nearest up the tree of those that decide. A board below another waits for its seats
    before it takes over.
    """

    name = models.CharField(max_length=120, unique=True)
    unit = models.OneToOneField(Unit, models.PROTECT, related_name="board")
    decides_from = models.DateTimeField(null=True, blank=True, editable=False)  # None while the board waits

    history = governed()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class MembershipQuerySet(models.QuerySet):
    def held_at(self, moment):
        """Memberships in force at `moment`, of people who are active and did not seat themselves."""
        seated = self.filter(starts_at__lte=moment, person__is_active=True).filter(
            Q(ends_at__isnull=True) | Q(ends_at__gt=moment)
        )
        return seated.filter(Q(granted_by__isnull=True) | ~Q(granted_by=F("person")))


class Membership(models.Model):
    """A person in a seat of a board from a moment to a moment, perhaps as delegate of the seat's holder."""

    board = models.ForeignKey(Board, models.PROTECT, related_name="memberships")
    person = models.ForeignKey(User, models.PROTECT, related_name="memberships")
    seat = models.CharField(max_length=30, choices=BoardRole.choices)
    starts_at = models.DateTimeField(default=clock.now)
    ends_at = models.DateTimeField(null=True, blank=True)
    delegate_of = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="delegates")
    granted_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    # From when it signs what lets an initiative rise, unless it is confirmed before; None: granted before there was
    # that rule.
    signs_from = models.DateTimeField(null=True, blank=True, editable=False)
    confirmed_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )
    confirmed_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = MembershipQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["board", "seat", "starts_at"]
        constraints = [
            models.CheckConstraint(
                name="membership_ends_after_it_starts",
                condition=Q(ends_at__isnull=True) | Q(ends_at__gte=F("starts_at")),
            ),
            models.UniqueConstraint(
                name="one_open_membership_per_person_and_seat",
                fields=["board", "person", "seat"],
                condition=Q(ends_at__isnull=True),
            ),
            models.CheckConstraint(
                name="membership_is_confirmed_by_somebody_at_a_moment",
                condition=Q(confirmed_by__isnull=True, confirmed_at__isnull=True)
                | Q(confirmed_by__isnull=False, confirmed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person}, {self.get_seat_display()}, {self.board}"

    def holds_at(self, moment) -> bool:
        """Return True if the seat is held at `moment`. An ended, future or inactive membership holds none."""
        started = self.starts_at <= moment and self.granted_by_id != self.person_id
        return started and (self.ends_at is None or self.ends_at > moment) and self.person.is_active


class SignInAttempt(models.Model):
    """A counted attempt, to slow guessing down. Not governed, because no one is signed in then.

    `purpose` is the kind of the attempt, `login` the name. Attempts of one purpose never count for another.
    """

    not_governed = "a count that is kept for a short time, and the audit log records each refused sign-in"

    purpose = models.CharField(max_length=20, default="sign in")
    login = models.CharField(max_length=LONGEST_LOGIN)
    address = models.GenericIPAddressField(null=True)
    at = models.DateTimeField(db_default=DatabaseNow())

    class Meta:
        indexes = [models.Index(fields=["login", "at"]), models.Index(fields=["address", "at"])]

    def __str__(self) -> str:
        return f"{self.purpose}: {self.login}"


class AbsenceQuerySet(models.QuerySet):
    def at(self, moment):
        """Return the absences that cover `moment`, which may be a query expression."""
        return self.filter(starts_at__lte=moment, ends_at__gt=moment)

    def meeting(self, starts_at, ends_at):
        """Absences that share any moment with that time."""
        return self.filter(starts_at__lt=ends_at, ends_at__gt=starts_at)


class Absence(models.Model):
    """A person is away from the first moment of a day until the last of another. Cut short, it ends earlier."""

    person = models.ForeignKey(User, models.PROTECT, related_name="absences")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    planned_at = models.DateTimeField()

    objects = AbsenceQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["person", "starts_at"]
        constraints = [
            models.CheckConstraint(
                name="absence_ends_after_it_starts", condition=Q(ends_at__gte=F("starts_at"))
            )
        ]

    def __str__(self) -> str:
        return f"{self.person}, away"


class DelegationQuerySet(models.QuerySet):
    def agreed(self):
        """Return the delegations that the delegate accepted and has not returned."""
        return self.filter(accepted_at__isnull=False, ended_at__isnull=True)

    def waiting(self):
        """Return the delegations that the delegate has not answered."""
        return self.filter(accepted_at__isnull=True, ended_at__isnull=True)

    def for_roles(self):
        """Return the delegations of roles on initiatives, not of a seat."""
        return self.filter(membership__isnull=True)

    def at(self, moment):
        """Return the delegations whose absence covers `moment`."""
        return self.filter(absence__starts_at__lte=moment, absence__ends_at__gt=moment)


class Delegation(models.Model):
    """A delegation in an absence: one seat, or without a seat the initiative roles.

    It counts from the delegate's acceptance until it ends: declined, returned, or over with the absence. Acceptance of
    a seat makes another seat for the delegate and that time, the field `stands`.
    """

    absence = models.ForeignKey(Absence, models.PROTECT, related_name="delegations")
    membership = models.ForeignKey(Membership, models.PROTECT, null=True, blank=True, related_name="+")
    delegate = models.ForeignKey(User, models.PROTECT, related_name="delegations")
    accepted_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_reason = models.TextField(blank=True, default="")
    stands = models.OneToOneField(
        Membership, models.PROTECT, null=True, blank=True, related_name="delegation"
    )

    objects = DelegationQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["absence", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["absence", "membership"],
                condition=Q(ended_at__isnull=True),
                nulls_distinct=False,
                name="one_delegate_per_absence_and_seat",
            ),
            models.CheckConstraint(
                name="a_delegate_sits_once_accepted",
                condition=Q(stands__isnull=True) | Q(accepted_at__isnull=False, membership__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["delegate"], condition=Q(ended_at__isnull=True), name="delegations_by_delegate"
            )
        ]

    def __str__(self) -> str:
        return f"{self.delegate} for {self.absence.person}"

    @property
    def what(self) -> str:
        """Return the delegated seat or roles in words."""
        if self.membership is None:
            return "roles on initiatives"
        return f"the seat {self.membership.get_seat_display()} of {self.membership.board}"
