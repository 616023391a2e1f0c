"""Accounts and seats in the admin, with the acts that end one and give it back: they touch cases."""

from django.contrib import admin
from django.urls import path, reverse
from django.utils.html import format_html

from governance.models import Membership, User
from governance.web.admin import MembershipAdmin
from governance.web.admin_people import PersonAdmin
from governance.web.confirmation_pages import act_page, row_or_404
from initiatives.roles import leaving


@admin.register(User)
class PeopleAdmin(PersonAdmin):
    """Accounts, with the acts that end one and give it back."""

    def get_urls(self):
        """The two acts beside Django's own pages."""
        return [
            path(
                "<int:pk>/deactivate/",
                self.admin_site.admin_view(self.deactivate),
                name="governance_user_deactivate",
            ),
            path(
                "<int:pk>/reactivate/",
                self.admin_site.admin_view(self.reactivate),
                name="governance_user_reactivate",
            ),
            *super().get_urls(),
        ]

    def get_readonly_fields(self, request, obj=None):
        """With the way to the act that changes whether the account is active."""
        return (*super().get_readonly_fields(request, obj), "account") if obj else ()

    def get_fieldsets(self, request, obj=None):
        """With the account's acts, for admins."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj and self.has_change_permission(request, obj):
            return (*fieldsets, ("Account", {"fields": ("account",)}))
        return fieldsets

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

    def deactivate(self, request, pk):
        """End the account: roles and seats end with it."""
        person = row_or_404(User, pk)
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
        person = row_or_404(User, pk)
        return act_page(
            self,
            request,
            person,
            verb="Give back",
            happens=[f"{person} can sign in again.", "No role and no seat comes back with it."],
            act=lambda reason: leaving.reactivate(person=person, reason=reason, by=request.user),
            done=f"{person} can sign in again.",
            danger=False,
        )


@admin.register(Membership)
class SeatAdmin(MembershipAdmin):
    """Seats, with the act that ends one."""

    readonly_fields = ("signs_from", "confirmed_by", "confirmed_at", "act")

    def get_urls(self):
        """The act beside Django's own pages."""
        return [
            path("<int:pk>/end/", self.admin_site.admin_view(self.end), name="governance_membership_end"),
            *super().get_urls(),
        ]

    def get_fields(self, request, obj=None):
        """What stands, and the way to end it."""
        names = ["board", "seat", "person", "starts_at", "ends_at", "delegate_of"]
        if obj is None:
            return [*names, "reason"]
        names += ["granted_by", "signs_from", "confirmed_by", "confirmed_at"]
        return [*names, "act"] if request.user.is_admin else names

    @admin.display(description="Acts")
    def act(self, membership):
        """The link to the act that ends the seat."""
        if membership.ends_at is not None:
            return "It has its end."
        return format_html(
            '<a href="{}">End this seat now</a>',
            reverse("admin:governance_membership_end", args=[membership.pk]),
        )

    def end(self, request, pk):
        """End the seat now."""
        membership = row_or_404(Membership, pk)
        return act_page(
            self,
            request,
            membership,
            verb="End this seat",
            happens=[
                f"{membership.person} no longer holds the seat.",
                "Votes given in it stop counting in every review that is still open.",
            ],
            act=lambda reason: leaving.end_membership(membership=membership, reason=reason, by=request.user),
            done="The seat has ended.",
        )
