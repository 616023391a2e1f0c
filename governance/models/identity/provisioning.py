"""Rows of provisioning: directories that keep accounts by SCIM, their accounts and groups, and reported identities."""

import uuid

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from governance import clock
from governance.database.row_history import governed
from governance.models.constraints import by_whom_and_when
from governance.models.identity.providers import IdentityProvider
from governance.models.people import LONGEST_LOGIN, Unit, User


class Directory(models.Model):
    """A company's directory (Entra ID, Okta ...) that manages accounts, and its key.

    Only the SHA-256 of the key's secret is kept, and `public` names the key. One directory has one key at a time, and a
    new one replaces it at once. If `provider` belongs to the same company, the external id of an account identifies its
    person there (the `sub`, or the object id of Entra). The person signs in with that id without a link.
    """

    hidden_from_auditors = ("secret_hash",)

    name = models.CharField(max_length=80, unique=True)
    public = models.CharField(max_length=20, unique=True, editable=False)
    secret_hash = models.CharField(max_length=64, editable=False)
    provider = models.ForeignKey(
        IdentityProvider, models.PROTECT, null=True, blank=True, related_name="directories"
    )
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    revoked_reason = models.TextField(blank=True, default="")

    history = governed(excluded_fields=["secret_hash"])

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "directories"
        constraints = [
            models.CheckConstraint(
                name="directory_key_expires_after_it_is_made", condition=Q(expires_at__gt=F("made_at"))
            ),
            by_whom_and_when(
                "revoked", name="directory_key_revoked_means_who_when_and_why", reason="revoked_reason"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def good_at(self, moment) -> bool:
        """Return True if its key is neither expired nor revoked at `moment`."""
        return self.expires_at > moment and (self.revoked_at is None or self.revoked_at > moment)


class ManagedAccount(models.Model):
    """An account that a directory made and keeps. `said` has the attributes without a column.

    `version` counts its changes (the ETag). A removed account no longer belongs to its directory. Its person stays,
    ended.
    """

    not_governed = "a report of a directory about an account, and the audit log records the account itself"

    uid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    directory = models.ForeignKey(Directory, models.PROTECT, related_name="accounts")
    # Goes where its person is erased.
    person = models.OneToOneField(User, models.CASCADE, related_name="managed")
    user_name = models.CharField(max_length=LONGEST_LOGIN)
    external_id = models.CharField(max_length=200, blank=True, default="")
    said = models.JSONField(default=dict)
    version = models.PositiveIntegerField(default=1)
    made_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                Lower("user_name"),
                condition=Q(removed_at__isnull=True),
                name="user_names_of_directories_differ_in_more_than_case",
            ),
            models.UniqueConstraint(
                fields=["directory", "external_id"],
                condition=Q(removed_at__isnull=True) & ~Q(external_id=""),
                name="an_external_id_is_of_one_account_of_its_directory",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_name}, kept by {self.directory}"


class ManagedGroup(models.Model):
    """A group of a directory. It gives no rights. It may propose a unit, which an admin accepts by person."""

    not_governed = "a report of a directory, and the audit log records the unit of a person"

    uid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    directory = models.ForeignKey(Directory, models.PROTECT, related_name="groups")
    display_name = models.CharField(max_length=200)
    external_id = models.CharField(max_length=200, blank=True, default="")
    proposes = models.ForeignKey(Unit, models.SET_NULL, null=True, blank=True, related_name="+")
    version = models.PositiveIntegerField(default=1)
    made_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["display_name", "pk"]

    def __str__(self) -> str:
        return self.display_name


class ManagedMembership(models.Model):
    """An account in a group of its directory."""

    not_governed = "a report of a directory that has no effect on rights"

    group = models.ForeignKey(ManagedGroup, models.CASCADE, related_name="memberships")
    account = models.ForeignKey(ManagedAccount, models.CASCADE, related_name="memberships")

    class Meta:
        ordering = ["group", "account"]
        constraints = [
            models.UniqueConstraint(fields=["group", "account"], name="an_account_is_in_a_group_once")
        ]

    def __str__(self) -> str:
        return f"{self.account_id} in {self.group_id}"


class ReportedIdentityQuerySet(models.QuerySet):
    def waiting(self):
        """Return the reports that no admin has answered."""
        return self.filter(answered_at=None)


class ReportedIdentity(models.Model):
    """A key, an email address or a name of a person that a provider or directory reports and that differs here.

    A report changes nothing until an admin takes it over. A declined value is not reported again. `address` is the
    address by which a key was matched with the person. `verified`: the source states that the address is verified.
    """

    class Kind(models.TextChoices):
        KEY = "key", "key"
        ADDRESS = "address", "email address"
        NAME = "name", "name"

    not_governed = "a report that changes nothing, and the audit log records the report and what an admin did"

    person = models.ForeignKey(User, models.CASCADE, related_name="reported")
    kind = models.CharField(max_length=10, choices=Kind)
    provider = models.ForeignKey(IdentityProvider, models.PROTECT, null=True, related_name="+")
    directory = models.ForeignKey(Directory, models.PROTECT, null=True, related_name="+")
    value = models.CharField(max_length=300, blank=True)
    address = models.CharField(max_length=254, blank=True, default="")
    verified = models.BooleanField(default=True)
    reported_at = models.DateTimeField(default=clock.now)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    taken = models.BooleanField(default=False)

    objects = ReportedIdentityQuerySet.as_manager()

    class Meta:
        ordering = ["reported_at", "pk"]
        verbose_name_plural = "reported identities"
        constraints = [
            models.UniqueConstraint(
                fields=["person", "kind"],
                condition=Q(answered_at__isnull=True),
                name="one_report_of_a_kind_waits_for_a_person",
            ),
            models.CheckConstraint(
                name="an_identity_is_reported_by_one_source",
                condition=Q(provider__isnull=True, directory__isnull=False)
                | Q(provider__isnull=False, directory__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.person}, reported by {self.source}"

    @property
    def source(self) -> IdentityProvider | Directory:
        """Return the provider or directory that reported it."""
        return self.provider or self.directory  # type: ignore[return-value]
