"""The administration: its site, its index, and the two kinds of rows in it.

Admins keep some rows (`Recorded`). Acts, machine and record own the others (`shown`).
"""

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.admin import Group  # from where it is registered
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import CharField
from django.shortcuts import redirect
from django.urls import reverse
from simple_history.admin import SimpleHistoryAdmin

from governance.audit_log import csv_export, entries
from governance.database.row_history import acting
from governance.database.shown_state import STOOD, OverwritingForm
from governance.permission_result import Refused, no
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from governance.web.pages import entry_views

REASON_HELP = "The history shows this text with the change. You can leave it empty."


# --- The site --------------------------------------------------------------------------------------------------------


def _sign_in(request, extra_context=None):
    """Send strangers to the sign-in page, which slows guessing, and refuse others."""
    if request.user.is_authenticated:
        no("Only admins and auditors can open Admin.", "Ask an admin.").or_refuse()
    return redirect(f"{reverse('sign-in')}?next={reverse('admin:index')}")


def _own_password(request, extra_context=None):
    """Send to the page of one's password, which everyone has."""
    return redirect("account-password")


admin.site.unregister(Group)  # rights come from roles and seats
admin.site.site_header = "Plumbline"
admin.site.site_title = "Plumbline"
admin.site.index_title = "Administration"
admin.site.site_url = "/"
# Set on the site itself: Django gives no other place for them.
admin.site.login = _sign_in
admin.site.logout = entry_views.sign_out
admin.site.password_change = _own_password


# The groups of the index in its order, as the table gives them: name, what is found there, models.
_groups: list[tuple[str, str, list[type]]] = []


def table(*groups, site=admin.site) -> None:
    """Register every row of the table. The index shows its groups and rows in this order.

    A group is its name, one sentence on its contents, and its rows by their plain names. A row is a model with the
    ModelAdmin that keeps it, or `shown`.
    """
    for name, words, rows in groups:
        models = []
        for plain_name, (model, model_admin) in rows.items():
            site.register(model, model_admin, index_name=plain_name)
            models.append(model)
        _groups.append((name, words, models))


def _by_group(request, app_label=None):
    """Return the groups for the index and the side of every page, or one app's models.

    The pages between index and list ask for one app.
    """
    apps = admin.AdminSite.get_app_list(admin.site, request, app_label)
    if app_label:
        return apps
    shown = {row["model"]: row for app in apps for row in app["models"]}
    home = reverse("admin:index")
    return [
        {
            "name": name,
            "help": words,
            "app_label": f"group-{number}",
            "app_url": f"{home}#group-{number}",
            "has_module_perms": True,
            "models": [
                shown[model] | {"name": admin.site.get_model_admin(model).index_name}
                for model in models
                if model in shown
            ],
        }
        for number, (name, words, models) in enumerate(_groups, start=1)
    ]


admin.site.get_app_list = _by_group


class NamedValues(admin.AllValuesFieldListFilter):
    """A filter by every value. The empty one has words, because a link needs a text."""

    def choices(self, changelist):
        """Django's choices, each with words."""
        for choice in super().choices(changelist):
            yield choice | {"display": choice["display"] or "not set"}


admin.FieldListFilter.register(
    lambda field: isinstance(field, CharField) and not field.choices, NamedValues, take_priority=True
)


# --- What every page of it has in common ------------------------------------------------------------------------------


def export_csv(model_admin, request, rows):
    """Send the chosen rows with every shown field as a CSV file for spreadsheets."""
    names = [
        field.attname
        for field in model_admin.model._meta.concrete_fields
        if field.name not in model_admin.never_shown
    ]
    name = str(model_admin.model._meta.verbose_name_plural).replace(" ", "-")
    return csv_export.stream(
        name,
        names,
        (tuple(getattr(row, attname) for attname in names) for row in rows.iterator(500)),
        of="the administration",
        by=request.user,
    )


export_csv.short_description = "Export the chosen rows as CSV"


class NoDeleting:
    """An admin of governed rows, which no one deletes. Attempts to delete are recorded."""

    actions = [export_csv]
    list_per_page = 50
    index_name = ""  # its plain name in the index
    # Fields that no page and no file of the admin shows.
    never_shown: tuple[str, ...] = ("password",)

    def has_delete_permission(self, request, obj=None):
        """Return False, because no one deletes governed rows."""
        return False

    def get_object(self, request, object_id, from_field=None):
        """Return the row, or None for a nameless column (`?_to_field=`). Django breaks down there."""
        return super().get_object(request, object_id, from_field or None)

    def response_action(self, request, queryset):
        """Respond as Django does. Rows ticked under invalid keys count as gone, at which Django breaks down."""
        key = self.model._meta.pk
        try:
            for ticked in request.POST.getlist(ACTION_CHECKBOX_NAME):
                key.clean(ticked, None)
        except ValidationError:
            self.message_user(request, "Some of these rows are missing. Select them again.", messages.WARNING)
            return redirect(request.get_full_path())
        return super().response_action(request, queryset)

    def delete_view(self, request, object_id, extra_context=None):
        """Refuse the deletion in words, and record the attempt."""
        return self._refuse(request, "delete", object_id)

    def history_form_view(self, request, object_id, version_id, extra_context=None):
        """Show a row of history. Restoring it as the current row is refused."""
        if request.method == "POST":
            self._refuse(request, "change the history of", object_id)
        return super().history_form_view(request, object_id, version_id, extra_context)

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        """Show Django's form. A POST without the right to it is refused in words and recorded."""
        if request.method == "POST":
            allowed = self.has_change_permission(request) if object_id else self.has_add_permission(request)
            if not allowed:
                self._refuse(request, "change" if object_id else "add", object_id)
        return self.allowed_form(request, object_id, form_url, extra_context)

    def allowed_form(self, request, object_id, form_url, extra_context):
        """Show the form, after the check that the person may see or send it."""
        return super().changeform_view(request, object_id, form_url, extra_context)

    def _refuse(self, request, verb, object_id):
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.get_object(request, object_id) if object_id else None
        initiative = row if hasattr(row, "ref") else getattr(row, "initiative", None)
        what = self.model._meta.verbose_name
        refusal = Refused(
            phrase("Admin does not {} a {}.", verb, what),
            "Use the pages of the initiative, with a reason. Rows are never deleted.",
        )
        if request.method == "POST":
            with acting(by=request.user):
                entries.record(
                    EntryKind.REFUSED,
                    initiative=initiative,
                    act=f"admin: {verb} {self.model._meta.label_lower} {object_id or ''}".strip(),
                    answer=str(refusal),
                )
            refusal.recorded = True
        raise refusal


class ReadOnly(NoDeleting, admin.ModelAdmin):
    """Rows that machine or record own. Admins can list, search, filter and export them."""

    show_full_result_count = False

    def has_add_permission(self, request, obj=None):
        """Return False, because no one adds rows here."""
        return False

    def has_change_permission(self, request, obj=None):
        """Return False, because no one changes rows here."""
        return False

    def get_exclude(self, request, obj=None):
        """Leave out what is never shown."""
        return self.never_shown


class ReadOnlyHistory(ReadOnly, SimpleHistoryAdmin):
    """The same, with the history of each row."""


def shown(model, columns, filters, search, **options):
    """Return a read-only row of the table: what its list shows, filters and searches.

    `options`: attributes of the ModelAdmin.
    """
    # What a list shows of other rows comes along in its one query.
    fields = {field.name for field in model._meta.fields if field.is_relation}
    options = {"list_select_related": tuple(fields.intersection(columns))} | options
    options |= {"list_display": columns, "list_filter": filters, "search_fields": search}
    base = ReadOnlyHistory if hasattr(model, "history") else ReadOnly
    return model, type(f"{model.__name__}Admin", (base,), options)


class ReasonForm(OverwritingForm, forms.ModelForm):
    """A form of the admin with an optional reason, which the history keeps."""

    stood = forms.CharField(
        required=False, widget=forms.HiddenInput
    )  # declared, because the admin names its fields
    reason = forms.CharField(
        required=False, max_length=500, widget=forms.TextInput(attrs={"size": 80}), help_text=REASON_HELP
    )

    def __init__(self, *args, **options):
        row = options.get("instance")
        super().__init__(*args, row=row if row is not None and row.pk else None, **options)


class Recorded(NoDeleting, SimpleHistoryAdmin):
    """Rows that admins keep. Each save is an act with actor and reason, and an entry shows the change."""

    form = ReasonForm

    def allowed_form(self, request, object_id, form_url, extra_context):
        """Save the whole form in one act. Every saved row has the person and the reason."""
        if request.method != "POST":
            return super().allowed_form(request, object_id, form_url, extra_context)
        try:
            with acting(by=request.user, reason=request.POST.get("reason", "")[:500].replace("\0", "")):
                answer = super().allowed_form(request, object_id, form_url, extra_context)
            shown = getattr(answer, "context_data", None) or {}
            if "adminform" in shown:
                answer.status_code = getattr(shown["adminform"].form, "status", answer.status_code)
            return answer
        except ValidationError as wrong:
            # What an act found wrong that the form could not know: somebody else was faster.
            self.message_user(request, " ".join(wrong.messages), messages.ERROR)
            return redirect(request.path)

    def get_fieldsets(self, request, obj=None):
        """Return the fields, with the hidden marks of what the page of a row shows."""
        found = super().get_fieldsets(request, obj)
        if obj is None or not self.has_change_permission(request, obj):
            return found
        title, options = found[-1]
        return [*found[:-1], (title, {**options, "fields": [*options["fields"], STOOD]})]

    def save_model(self, request, obj, form, change):
        """Add through the action, and record the changes of a change."""
        reason = form.cleaned_data.get("reason", "")
        if not change:
            saved = self.add_row(form.cleaned_data, reason=reason, by=request.user)
            obj.__dict__.update(
                saved.__dict__
            )  # the object of the form becomes the row that the action saved
            return
        before = type(obj).objects.get(pk=obj.pk)
        fields = [name for name in form.changed_data if name != "reason"]
        if not fields:
            return
        obj.save()
        entries.record(
            EntryKind(f"{self.model._meta.verbose_name} changed"),
            row=str(obj),
            row_id=obj.pk,
            before={name: _plain(getattr(before, name)) for name in fields},
            after={name: _plain(getattr(obj, name)) for name in fields},
        )

    def add_row(self, cleaned, *, reason, by):
        """Add the row through its action. Each kind of row defines which."""
        raise NotImplementedError


def _plain(value):
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)
