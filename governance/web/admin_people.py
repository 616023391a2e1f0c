"""Accounts in the admin."""

from django.contrib import admin
from django.core.exceptions import ValidationError

from governance import models
from governance.organisation import actions as organisation_actions
from governance.web.admin import only_own
from governance.web.admin_base import ReasonForm, Recorded


class PersonForm(ReasonForm):
    """An account. Nobody types the password of somebody else: whom it belongs to chooses one by an invitation."""

    class Meta:
        model = models.User
        fields = (
            "login",
            "full_name",
            "email",
            "unit",
            "manager",
            "is_admin",
            "is_auditor",
            "is_privacy_officer",
        )
        labels = {"login": "User name", "full_name": "Name", "email": "Mail address"}
        help_texts = {
            "email": "Invitations go here. Changed, the one before is told, and links for a password wait a day.",
            "unit": "Whose initiatives the person sees.",
            "manager": "Whoever sits for business value may not report to the owner of an initiative.",
            "is_admin": "Keeps accounts, units, boards and rulebooks; signs nothing by that.",
            "is_auditor": "Reads everything, on any day, and changes nothing.",
            "is_privacy_officer": "Answers requests of persons: reads, copies and erases what systems reported.",
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        only_own(self, "unit")

    def clean_login(self):
        """Sign-in names are told apart without regard to case."""
        login = self.cleaned_data["login"]
        if models.User.objects.filter(login__iexact=login).exclude(pk=self.instance.pk).exists():
            raise ValidationError(f"{login} is taken; choose another.")
        return login

    def clean_manager(self):
        """Nobody is their own manager."""
        manager = self.cleaned_data["manager"]
        if manager is not None and manager.pk == self.instance.pk:
            raise ValidationError("Nobody is their own manager.")
        return manager


class PersonAdmin(Recorded):
    """Accounts. Whether one is active changes only by the acts of the app above, which end roles and seats."""

    subject = "people"
    index_name = "Accounts"
    form = PersonForm
    list_display = (
        "full_name",
        "login",
        "email",
        "unit",
        "is_active",
        "is_admin",
        "is_auditor",
        "is_privacy_officer",
    )
    list_filter = (
        "is_active",
        "is_admin",
        "is_auditor",
        "is_privacy_officer",
        ("unit", admin.RelatedOnlyFieldListFilter),
    )
    list_select_related = ("unit",)
    search_fields = ("full_name", "login", "email")
    ordering = ("full_name",)
    autocomplete_fields = ("manager",)
    about = ("full_name", "email", "unit", "manager", "is_admin", "is_auditor", "is_privacy_officer")
    add_fieldsets = ((None, {"fields": ("login", *about, "reason")}),)
    fieldsets = ((None, {"fields": ("login", *about, "is_active", "joined_at", "reason")}),)

    def get_readonly_fields(self, request, obj=None):
        """What stays: the name people sign in with, and whether the account is active; and what a directory keeps."""
        if obj is None:
            return ()
        kept = models.ManagedAccount.objects.filter(person=obj, removed_at__isnull=True).exists()
        return ("login", "is_active", "joined_at") + (("full_name", "email", "manager") if kept else ())

    def get_fieldsets(self, request, obj=None):
        """Whoever may only look is shown no reason to fill in."""
        fieldsets = super().get_fieldsets(request, obj) if obj else self.add_fieldsets
        if obj and not self.has_change_permission(request, obj):
            return ((None, {"fields": ("login", *self.about, "is_active", "joined_at")}),)
        return fieldsets

    def add_row(self, cleaned, *, reason, by):
        """As `actions.add_person`."""
        fields = {name: cleaned[name] for name in ("login", *self.about)}
        return organisation_actions.add_person(**fields, reason=reason, by=by)

    def save_model(self, request, obj, form, change):
        """As any row; a changed mail address is told to the one before, and waits."""
        if change:
            organisation_actions.change_address(
                person=obj, address=form.cleaned_data.get("email", obj.email), by=request.user
            )
        super().save_model(request, obj, form, change)
