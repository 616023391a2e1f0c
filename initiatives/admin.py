"""Accounts in the administration. A deactivation also ends roles on initiatives."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.html import format_html

from governance.identity import reported_identities, ways_in
from governance.models import ManagedAccount, Unit, User
from governance.organisation import actions as organisation_actions
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from governance.web.admin_base import ReasonForm, Recorded
from governance.web.confirmation_pages import act_page
from initiatives.contracts.enforcement import system_keys
from initiatives.portfolio.units import decision_gaps, leaving

ABOUT = ("full_name", "email", "unit", "manager", "is_admin", "is_auditor", "is_privacy_officer")


class PersonForm(ReasonForm):
    """An account. Its owner chooses the password by an invitation."""

    class Meta:
        model = User
        fields = ("login", *ABOUT)
        labels = {"login": "User name", "full_name": "Name", "email": "Email address"}
        help_texts = {
            "email": (
                "Plumbline sends invitations to this address. After a change, Plumbline notifies the earlier "
                "address. Password links go to the earlier address for one more day."
            ),
            "unit": "The person sees the initiatives of this unit.",
            "manager": "A holder of the business value seat cannot report to the owner of an initiative.",
            "is_admin": "Manages accounts, units, boards and rulebooks. This gives no right to sign.",
            "is_auditor": "Reads everything, on any day, and changes nothing.",
            "is_privacy_officer": (
                "Answers requests from people about their data. Reads, copies and erases what systems reported."
            ),
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "unit" in self.fields:
            unit: Any = self.fields["unit"]
            stands = Q(pk=self.instance.unit_id)
            unit.queryset = Unit.objects.filter(Q(pk__in=Unit.objects.own()) | stands)
            unit.label_from_instance = lambda unit: unit.label
            unit.error_messages["invalid_choice"] = (
                "This unit was merged, or it belongs to an imported list. Choose another unit."
            )

    def clean_login(self):
        """Refuse a sign-in name that differs from another only by capital letters."""
        login = self.cleaned_data["login"]
        if User.objects.filter(login__iexact=login).exclude(pk=self.instance.pk).exists():
            raise ValidationError(phrase("The user name {} is taken. Choose another one.", login))
        return login

    def clean_manager(self):
        """Refuse a person as their own manager."""
        manager = self.cleaned_data["manager"]
        if manager is not None and manager.pk == self.instance.pk:
            raise ValidationError(phrase("{} cannot be their own manager. Choose someone else.", manager))
        return manager


class PersonAdmin(Recorded):
    """Accounts. Only the two acts here activate or deactivate one, which ends roles and seats."""

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

    def get_urls(self):
        """Return the addresses of the two acts, and of Django's own pages."""
        return [
            path(
                f"<int:pk>/{name}/",
                self.admin_site.admin_view(getattr(self, name)),
                name=f"governance_user_{name}",
            )
            for name in ("deactivate", "reactivate")
        ] + super().get_urls()

    def get_readonly_fields(self, request, obj=None):
        """Return the fixed fields: sign-in name, state, and those that a directory keeps."""
        if obj is None:
            return ()
        kept = ManagedAccount.objects.filter(person=obj, removed_at__isnull=True).exists()
        fixed = ("login", "is_active", "joined_at", "account")
        return (*fixed, "full_name", "email", "manager") if kept else fixed

    def get_fields(self, request, obj=None):
        """Return the fields, without reason and acts for a person who may only look."""
        if obj is None:
            return ("login", *ABOUT, "reason")
        fields = ("login", *ABOUT, "is_active", "joined_at")
        return (*fields, "reason", "account") if self.has_change_permission(request, obj) else fields

    @admin.display(description="Acts")
    def account(self, person):
        """Return links to the acts on this account."""
        verb, name = (
            ("Deactivate this account", "deactivate")
            if person.is_active
            else ("Reactivate this account", "reactivate")
        )
        return format_html(
            '<a href="{}">{}</a> &middot; <a href="{}">Hand over their initiatives</a>'
            ' &middot; <a href="{}?q={}">Send a link to choose a password</a>',
            reverse(f"admin:governance_user_{name}", args=[person.pk]),
            verb,
            reverse("handover", args=[person.pk]),
            reverse("accounts"),
            person.login,
        )

    def add_row(self, cleaned, *, reason, by):
        """Add the account as `actions.add_person` does."""
        fields = {name: cleaned[name] for name in ("login", *ABOUT)}
        return organisation_actions.add_person(**fields, reason=reason, by=by)

    def save_model(self, request, obj, form, change):
        """Save the account. A new email address waits, and the earlier address gets an email."""
        if change:
            before = User.objects.get(pk=obj.pk)
            organisation_actions.give_rights(person=obj, before=before, by=request.user)
            reported_identities.change_address(
                person=obj, address=form.cleaned_data.get("email", obj.email), by=request.user
            )
        super().save_model(request, obj, form, change)

    def get_form(self, request, obj=None, change=False, **kwargs):
        """Return the form. Below the address, it names the ways in that a new address ends and leaves."""
        form = super().get_form(request, obj, change, **kwargs)
        if obj is not None and "email" in form.base_fields:
            said = ways_in.consequences(obj, EntryKind.ACCOUNT_CHANGED)
            form.base_fields["email"].help_text = " ".join(map(str, said))
        return form

    def deactivate(self, request, pk):
        """Deactivate the account. Roles and seats end with it."""
        person = get_object_or_404(User, pk=pk)
        roles = person.roles.open().select_related("initiative")
        seats = person.memberships.filter(ends_at__isnull=True).select_related("board")
        happens = [
            f"{person} can no longer sign in, and open sessions end.",
            *ways_in.consequences(person, EntryKind.ACCOUNT_DEACTIVATED),
            *(f"{role.get_role_display()} of {role.initiative} ends." for role in roles),
            *(f"The seat {seat.get_seat_display()} of {seat.board} ends." for seat in seats),
            *(
                sentence
                for board in {*decision_gaps.boards_chaired(seats)}
                for sentence in decision_gaps.made_by(board, ended={seat.pk for seat in seats})
            ),
            *(
                f"No one is responsible for {key}. The owner of {key.contract.initiative.ref} is notified."
                for key in system_keys.keys_of(person)
            ),
            "Initiatives that lose their accepted owner get a hold until someone else accepts the role.",
        ]
        return act_page(
            self,
            request,
            person,
            verb="Deactivate",
            happens=happens,
            act=lambda reason: leaving.deactivate(person=person, reason=reason, by=request.user),
            done=f"The account of {person} has ended.",
            links=[(f"Hand over the initiatives of {person} first", reverse("handover", args=[person.pk]))],
        )

    def reactivate(self, request, pk):
        """Reactivate the account, without roles or seats."""
        person = get_object_or_404(User, pk=pk)
        return act_page(
            self,
            request,
            person,
            verb="Reactivate",
            happens=[f"{person} can sign in again.", "The earlier roles and seats are not restored."],
            act=lambda reason: leaving.reactivate(person=person, reason=reason, by=request.user),
            done=f"{person} can sign in again.",
        )
