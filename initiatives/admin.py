"""Accounts in the administration. They lie here because a deactivated account loses its roles on initiatives."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.html import format_html

from governance.models import ManagedAccount, Unit, User
from governance.organisation import actions as organisation_actions
from governance.web.admin_base import ReasonForm, Recorded
from governance.web.confirmation_pages import act_page
from initiatives.portfolio.units import leaving

ABOUT = ("full_name", "email", "unit", "manager", "is_admin", "is_auditor", "is_privacy_officer")


class PersonForm(ReasonForm):
    """An account. Nobody types the password of somebody else: whom it belongs to chooses one by an invitation."""

    class Meta:
        model = User
        fields = ("login", *ABOUT)
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
        if "unit" in self.fields:
            unit: Any = self.fields["unit"]
            stands = Q(pk=self.instance.unit_id)
            unit.queryset = Unit.objects.filter(Q(pk__in=Unit.objects.own()) | stands)
            unit.label_from_instance = lambda unit: unit.label
            unit.error_messages["invalid_choice"] = (
                "That unit was merged, or came with an imported list and was not taken over; choose another."
            )

    def clean_login(self):
        """Sign-in names are told apart without regard to case."""
        login = self.cleaned_data["login"]
        if User.objects.filter(login__iexact=login).exclude(pk=self.instance.pk).exists():
            raise ValidationError(f"{login} is taken; choose another.")
        return login

    def clean_manager(self):
        """Nobody is their own manager."""
        manager = self.cleaned_data["manager"]
        if manager is not None and manager.pk == self.instance.pk:
            raise ValidationError("Nobody is their own manager.")
        return manager


class PersonAdmin(Recorded):
    """Accounts. Whether one is active changes only by the two acts here, which end roles and seats."""

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
        """The two acts beside Django's own pages."""
        return [
            path(
                f"<int:pk>/{name}/",
                self.admin_site.admin_view(getattr(self, name)),
                name=f"governance_user_{name}",
            )
            for name in ("deactivate", "reactivate")
        ] + super().get_urls()

    def get_readonly_fields(self, request, obj=None):
        """What stays: the sign-in name, whether the account is active, and what a directory keeps."""
        if obj is None:
            return ()
        kept = ManagedAccount.objects.filter(person=obj, removed_at__isnull=True).exists()
        fixed = ("login", "is_active", "joined_at", "account")
        return (*fixed, "full_name", "email", "manager") if kept else fixed

    def get_fields(self, request, obj=None):
        """Whoever may only look is shown no reason to fill in, and no act."""
        if obj is None:
            return ("login", *ABOUT, "reason")
        fields = ("login", *ABOUT, "is_active", "joined_at")
        return (*fields, "reason", "account") if self.has_change_permission(request, obj) else fields

    @admin.display(description="Acts")
    def account(self, person):
        """Links to the acts on this account."""
        verb, name = (
            ("Deactivate this account", "deactivate")
            if person.is_active
            else ("Give this account back", "reactivate")
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
        """As `actions.add_person`."""
        fields = {name: cleaned[name] for name in ("login", *ABOUT)}
        return organisation_actions.add_person(**fields, reason=reason, by=by)

    def save_model(self, request, obj, form, change):
        """As any row; a changed mail address is told to the one before, and waits."""
        if change:
            before = User.objects.get(pk=obj.pk)
            organisation_actions.give_rights(person=obj, before=before, by=request.user)
            organisation_actions.change_address(
                person=obj, address=form.cleaned_data.get("email", obj.email), by=request.user
            )
        super().save_model(request, obj, form, change)

    def deactivate(self, request, pk):
        """Deactivate the account: roles and seats end with it."""
        person = get_object_or_404(User, pk=pk)
        roles = person.roles.open().select_related("initiative")
        seats = person.memberships.filter(ends_at__isnull=True).select_related("board")
        happens = [
            f"{person} can no longer sign in; a session that is open ends.",
            *(f"{role.get_role_display()} of {role.initiative} ends." for role in roles),
            *(f"The seat {seat.get_seat_display()} of {seat.board} ends." for seat in seats),
            "Initiatives that lose their accepted owner are held until somebody else accepts.",
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
        """Give the account back, without roles or seats."""
        person = get_object_or_404(User, pk=pk)
        return act_page(
            self,
            request,
            person,
            verb="Reactivate",
            happens=[f"{person} can sign in again.", "No role and no seat comes back with it."],
            act=lambda reason: leaving.reactivate(person=person, reason=reason, by=request.user),
            done=f"{person} can sign in again.",
        )
