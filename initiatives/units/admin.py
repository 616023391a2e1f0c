"""Units in the admin, with the acts that move one and merge it into another: other boards decide after them."""

from django.contrib import admin
from django.urls import path, reverse
from django.utils.html import format_html

from governance.models import Unit
from governance.web.admin import UnitAdmin
from governance.web.confirmation_pages import previewed_page, row_or_404
from initiatives.units import actions, preview
from initiatives.units.forms import MergeForm, MoveForm


@admin.register(Unit)
class TreeAdmin(UnitAdmin):
    """Units, with the acts on the tree."""

    def get_urls(self):
        """The two acts beside Django's own pages."""
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/move/", view(self.move), name="governance_unit_move"),
            path("<int:pk>/merge/", view(self.merge), name="governance_unit_merge"),
            *super().get_urls(),
        ]

    def get_readonly_fields(self, request, obj=None):
        """With the way to the acts that change where it stands."""
        return (*super().get_readonly_fields(request, obj), "acts") if obj else ()

    def get_fields(self, request, obj=None):
        """What stands, and its acts for admins."""
        if obj is None:
            return ["name", "code", "parent", "reason"]
        names = ["name", "code", "parent", "path", "merged_into"]
        return [*names, "reason", "acts"] if self.has_change_permission(request, obj) else names

    @admin.display(description="Acts")
    def acts(self, unit):
        """Links to the acts on this unit."""
        if unit.merged_into_id:
            return f"It was merged into {unit.merged_into}."
        return format_html(
            '<a href="{}">{}</a> &middot; <a href="{}">Merge it into another</a>',
            reverse("admin:governance_unit_move", args=[unit.pk]),
            "Take it over: move it out of what was imported" if unit.imported else "Move this unit",
            reverse("admin:governance_unit_merge", args=[unit.pk]),
        )

    def move(self, request, pk):
        """Put the unit below another."""
        unit = row_or_404(Unit, pk)
        return previewed_page(
            self,
            request,
            unit,
            MoveForm(request.POST or None, initial={"into": unit.parent_id}),
            verb="Move this unit",
            plan=lambda said: preview.plan_move(unit, said["into"]),
            act=lambda said, seen: actions.move_unit(unit=unit, **said, seen=seen, by=request.user),
            done=f"{unit} has moved.",
        )

    def merge(self, request, pk):
        """Merge the unit into another."""
        unit = row_or_404(Unit, pk)
        form = MergeForm(request.POST or None, unit=unit)
        return previewed_page(
            self,
            request,
            unit,
            form,
            verb="Merge this unit",
            plan=lambda said: preview.plan_merge(unit, said["into"], carry=said.get("carry", False)),
            act=lambda said, seen: actions.merge_units(unit=unit, **said, seen=seen, by=request.user),
            done=f"{unit} is merged. Earlier days still show it where it was.",
        )
