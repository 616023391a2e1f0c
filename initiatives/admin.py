"""The cases in the Django admin: read-only, all of them; and the two acts on people that touch cases."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.html import format_html

from governance.admin import MembershipAdmin, PersonAdmin
from governance.administration import read_only
from governance.models import Membership, User
from initiatives import actions, models


class ReasonForm(forms.Form):
    """Why; the record keeps it."""

    reason = forms.CharField(max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


def _act_page(model_admin, request, row, *, verb, happens, act, done, danger=True):
    """Ask for a reason, then act; refusals come as pages of their own."""
    if not request.user.is_admin:
        raise PermissionDenied
    form = ReasonForm(request.POST if request.method == "POST" else None)
    back = reverse(
        f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk], current_app="admin"
    )
    if request.method == "POST" and form.is_valid():
        try:
            act(reason=form.cleaned_data["reason"])
        except ValidationError as wrong:
            form.add_error("reason" if "reason" in getattr(wrong, "error_dict", {}) else None, wrong.messages)
        else:
            model_admin.message_user(request, done, messages.SUCCESS)
            return redirect(back)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"{verb}: {row}",
        "opts": model_admin.model._meta,
        "original": row,
        "form": form,
        "happens": happens,
        "verb": verb,
        "danger": danger,
        "back_url": back,
    }
    return render(request, "admin/act.html", context)


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
            '<a href="{}">{}</a> &middot; <a href="{}">Set a password</a>',
            reverse(f"admin:governance_user_{name}", args=[person.pk]),
            verb,
            reverse("admin:auth_user_password_change", args=[person.pk]),
        )

    def deactivate(self, request, pk):
        """End the account: roles and seats end with it."""
        person = _row(User, pk)
        roles = person.roles.open().select_related("initiative")
        seats = person.memberships.filter(ends_at__isnull=True).select_related("board")
        happens = [
            f"{person} can no longer sign in; a session that is open ends.",
            *(f"{role.get_role_display()} of {role.initiative} ends." for role in roles),
            *(f"The seat {seat.get_seat_display()} of {seat.board} ends." for seat in seats),
            "Cases that lose their accepted owner are held until somebody else accepts.",
        ]
        return _act_page(
            self,
            request,
            person,
            verb="Deactivate",
            happens=happens,
            act=lambda reason: actions.deactivate(person=person, reason=reason, by=request.user),
            done=f"The account of {person} has ended.",
        )

    def reactivate(self, request, pk):
        """Give the account back, without roles or seats."""
        person = _row(User, pk)
        return _act_page(
            self,
            request,
            person,
            verb="Give back",
            happens=[f"{person} can sign in again.", "No role and no seat comes back with it."],
            act=lambda reason: actions.reactivate(person=person, reason=reason, by=request.user),
            done=f"{person} can sign in again.",
            danger=False,
        )


@admin.register(Membership)
class SeatAdmin(MembershipAdmin):
    """Seats, with the act that ends one."""

    readonly_fields = ("act",)

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
        return [*names, "granted_by", "act"] if request.user.is_admin else [*names, "granted_by"]

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
        membership = _row(Membership, pk)
        return _act_page(
            self,
            request,
            membership,
            verb="End this seat",
            happens=[
                f"{membership.person} no longer holds the seat.",
                "Votes given in it stop counting in every review that is still open.",
            ],
            act=lambda reason: actions.end_membership(membership=membership, reason=reason, by=request.user),
            done="The seat has ended.",
        )


def _row(model, pk):
    row = model.objects.filter(pk=pk).first()
    if row is None:
        raise Http404("No such row.")
    return row


OF_CASE = {"list_select_related": ("initiative",)}
BY_CASE = ("initiative__title", "=initiative__number")


def _of_case(model, shown, filters=(), search=(), **options):
    """A model whose rows belong to a case: read-only, found by the case's title and number too."""
    options = {"list_select_related": ("initiative",), **options}
    read_only(
        model,
        list_display=("initiative", *shown),
        list_filter=filters,
        search_fields=(*BY_CASE, *search),
        **options,
    )


read_only(
    models.Initiative,
    list_display=("ref", "title", "unit", "stage", "basis", "since", "tier", "confidential"),
    list_filter=("stage", "basis", "tier", "confidential", ("unit", admin.RelatedOnlyFieldListFilter)),
    search_fields=("title", "=number", "problem", "source_key", "source_organisation"),
    list_select_related=("unit",),
    date_hierarchy="registered_at",
)
_of_case(models.PastStanding, ("computed_at", "valid_until", "rulebook"), ())
_of_case(models.StageChange, ("from_stage", "to_stage", "basis", "by", "at"), ("to_stage", "basis"))
_of_case(
    models.RoleAssignment,
    ("role", "person", "proposed_at", "accepted_at", "ended_at"),
    ("role",),
    ("person__full_name",),
)
_of_case(models.Standing, ("rulebook", "computed_at", "valid_until"), ("rulebook",))
_of_case(
    models.Span,
    ("from_at", "until_at", "supported", "shortfall", "label", "held", "next_stale_on"),
    ("supported", "shortfall", "held"),
)
_of_case(models.Answer, ("requirement", "kind", "by", "at"), ("kind", "requirement"), ("requirement", "text"))
_of_case(
    models.Evidence,
    ("title", "kind", "observed_on", "result", "author", "withdrawn_at"),
    ("kind", "result", "condition"),
    ("title", "sha256", "author__full_name"),
    # What is in the file is for the people of the case; admins see that it exists.
    never_shown=("file",),
    date_hierarchy="observed_on",
)
read_only(
    models.Coverage,
    list_display=("evidence", "requirement", "added_at"),
    list_filter=("requirement",),
    search_fields=("requirement", "evidence__title"),
    list_select_related=("evidence",),
)
read_only(
    models.EvidenceNames,
    list_display=("evidence", "component_version", "scope_version", "contract_version"),
    search_fields=("evidence__title",),
    list_select_related=(
        "evidence",
        "component_version__component",
        "scope_version",
        "contract_version__contract",
    ),
)
read_only(
    models.Voiding,
    list_display=("evidence", "requirement", "trigger", "cause", "effective_at"),
    list_filter=("trigger", "requirement"),
    search_fields=("requirement", "cause", "evidence__title"),
    list_select_related=("evidence",),
)
_of_case(models.ProofItem, ("key", "declared_at", "frozen_at", "result"), ("key", "result"), ("declared",))
_of_case(models.Component, ("layer", "name", "vendor"), ("layer",), ("name", "vendor"))
read_only(
    models.ComponentVersion,
    list_display=("component", "version", "region", "runs_from", "runs_to"),
    list_filter=("region",),
    search_fields=("component__name", "version", "component__initiative__title"),
    list_select_related=("component",),
)
_of_case(
    models.ScopeVersion,
    ("number", "user_count", "ends_on", "starts_at", "ended_at"),
    ("for_stage",),
    ("users",),
)
_of_case(
    models.ChangeRecord, ("what", "layer", "effective_at", "approver", "recorded_by"), ("layer",), ("what",)
)
_of_case(models.Dependant, ("who", "stated_at", "ended_at"), (), ("who", "for_what"))
_of_case(models.Review, ("gate", "outcome", "opened_by", "opened_at", "ended_at"), ("gate", "outcome"))
read_only(
    models.Question,
    list_display=("review", "criterion", "text", "asked_by", "asked_at", "answered_at"),
    list_filter=("criterion",),
    search_fields=("text", "answer", "review__initiative__title"),
    list_select_related=("review", "asked_by"),
)
read_only(
    models.SignOff,
    list_display=("review", "seat", "person", "verdict", "at"),
    list_filter=("seat", "verdict"),
    search_fields=("person__full_name", "digest", "review__initiative__title"),
    list_select_related=("review", "person"),
    date_hierarchy="at",
)
read_only(
    models.Condition,
    list_display=("review", "text", "owner", "due", "met_at"),
    list_filter=("due", "met_at"),
    search_fields=("text", "owner__full_name", "review__initiative__title"),
    list_select_related=("review", "owner"),
)
_of_case(
    models.Waiver,
    ("key", "until", "requested_by", "chair_at", "risk_at", "refused_at"),
    ("key",),
    ("reason",),
)
_of_case(
    models.Hold, ("kind", "reason", "blocking", "opened_at", "lifted_at"), ("kind", "blocking"), ("reason",)
)
_of_case(
    models.Obligation,
    ("kind", "text", "debtor", "due", "settled_at"),
    ("kind", "due"),
    ("text", "debtor__full_name"),
)
_of_case(models.Gap, ("text", "owner", "due", "closed_at"), ("due",), ("text", "owner__full_name"))
read_only(models.imports.InventorySource, list_display=("words", "key"), search_fields=("words", "key"))
read_only(
    models.ImportBatch,
    list_display=("file_name", "source", "uploaded_by", "uploaded_at", "confirmed_at"),
    list_filter=("source", "confirmed_at"),
    search_fields=("file_name", "sha256"),
    list_select_related=("uploaded_by",),
)
read_only(
    models.ImportRow,
    list_display=("batch", "line", "decision", "initiative", "done_at"),
    list_filter=("decision", "batch"),
    search_fields=("=line", "raw_digest", "initiative__title", "group"),
    list_select_related=("batch", "initiative"),
)
