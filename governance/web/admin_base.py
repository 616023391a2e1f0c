"""What the admin modules of all apps have in common.

Two kinds of rows: those that admins keep (`Recorded`) and those that machine or record own (`read_only`).
"""

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.admin import Group  # from where it is registered
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import CharField
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from simple_history.admin import SimpleHistoryAdmin

from governance.database.row_history import acting
from governance.ledger import csv_export, record
from governance.permission_result import Refused, no
from governance.vocabulary.entry_kinds import EntryKind
from governance.web.pages import entry_views

REASON_HELP = "Stands in the history beside what changes. May be left empty."


# --- The site --------------------------------------------------------------------------------------------------------


def _sign_in(request, extra_context=None):
    """Our own page, which slows guessing down; whoever is signed in and has no place here is told so."""
    if request.user.is_authenticated:
        no("The administration is for admins and auditors.", "Ask an admin.").or_refuse()
    return redirect(f"{reverse('sign-in')}?next={reverse('admin:index')}")


def _own_password(request, extra_context=None):
    """One's own password is changed on one's own page, there for everybody."""
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


# The index by subject, in the order in which people look for things: key, words, what is found there.
SUBJECTS = {
    "people": ("Organisation", "Units, boards, accounts and seats: what admins keep."),
    "away": ("Away and leaving", "Absences, who stands in, what is handed over."),
    "cases": ("Initiatives", "Initiatives, their stages, roles and what runs."),
    "proof": ("Answers and evidence", "What owners answered, and what it rests on."),
    "board": ("Reviews and decisions", "Reviews, votes, conditions and waivers."),
    "owed": ("Holds and obligations", "What stands against an initiative, and what is due."),
    "contracts": ("Contracts", "What a running system may do, and who signed it."),
    "integration": ("Integration", "Systems, links, terms, regions, drills and what was measured."),
    "rules": ("Rulebook", "Published versions, gates, criteria and requirements."),
    "used": (
        "In use",
        "Behaviour reports, incidents, what users reported, and what has to be reported when.",
    ),
    "learned": ("Learned", "Measures and readings, post-mortems and lessons."),
    "imports": ("Imports", "Inventories, every raw row, and what became of it."),
    "record": ("Audit log", "Entries, checkpoints, samples and legal holds."),
    "messages": (
        "Messages and sign-ins",
        "What is due to people, mails, links, refused sign-ins, what runs.",
    ),
}

# Models of libraries that have no page here, and why; a model of ours says so itself, in `not_in_admin`.
LEFT_OUT = {
    "admin.LogEntry": "the admin's own list of clicks; the acts themselves are entries",
    "auth.Group": "rights come from roles and seats",
    "auth.Permission": "nobody is granted one",
    "contenttypes.ContentType": "made from the models by Django",
}


def _by_subject(request, app_label=None):
    """What stands in the index and beside every page: subjects with plain names instead of apps in alphabetical order.

    Asked for one app, as the pages between index and list do, the models of that app.
    """
    apps = admin.AdminSite.get_app_list(admin.site, request, app_label)
    if app_label:
        return apps
    found: dict[str, list[dict]] = {key: [] for key in SUBJECTS}
    for model in (model for app in apps for model in app["models"]):
        model_admin = admin.site.get_model_admin(model["model"])
        found[model_admin.subject].append(model | {"name": model_admin.index_name or model["name"]})
    home = reverse("admin:index")
    return [
        {
            "name": SUBJECTS[key][0],
            "help": SUBJECTS[key][1],
            "app_label": f"subject-{key}",
            "app_url": f"{home}#subject-{key}",
            "has_module_perms": True,
            "models": sorted(models, key=lambda model: model["name"]),
        }
        for key, models in found.items()
        if models
    ]


admin.site.get_app_list = _by_subject


class NamedValues(admin.AllValuesFieldListFilter):
    """Every value there is, to filter by; the empty one has words, because a link without any cannot be told."""

    def choices(self, changelist):
        """Django's choices, each with words."""
        for choice in super().choices(changelist):
            yield choice | {"display": choice["display"] or "not set"}


admin.FieldListFilter.register(
    lambda field: isinstance(field, CharField) and not field.choices, NamedValues, take_priority=True
)


# --- What every page of it has in common ------------------------------------------------------------------------------


def export_csv(model_admin, request, rows):
    """The chosen rows with every shown field as a CSV file that is safe in a spreadsheet."""
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
    """Nothing governed is deleted, and what somebody tries against that is recorded."""

    actions = [export_csv]
    list_per_page = 50
    subject = ""  # where it stands in the index: one of SUBJECTS
    index_name = ""  # its plain name there, where that is not the model's
    # Fields that no page and no file of the admin shows.
    never_shown: tuple[str, ...] = ("password",)

    def has_delete_permission(self, request, obj=None):
        """Nobody deletes."""
        return False

    def get_object(self, request, object_id, from_field=None):
        """Django breaks down over a column without a name (`?_to_field=`); here that is none."""
        return super().get_object(request, object_id, from_field or None)

    def response_action(self, request, queryset):
        """Django's, but rows that were ticked under keys that are none are said to be gone; it would break down."""
        key = self.model._meta.pk
        try:
            for ticked in request.POST.getlist(ACTION_CHECKBOX_NAME):
                key.clean(ticked, None)
        except ValidationError:
            self.message_user(request, "Some of these rows are not here. Tick them again.", messages.WARNING)
            return redirect(request.get_full_path())
        return super().response_action(request, queryset)

    def delete_view(self, request, object_id, extra_context=None):
        """Refused, in words; a try leaves an entry."""
        return self._refuse(request, "delete", object_id)

    def history_form_view(self, request, object_id, version_id, extra_context=None):
        """A row of history is read; pressing it back into the present is refused."""
        if request.method == "POST":
            self._refuse(request, "change the history of", object_id)
        return super().history_form_view(request, object_id, version_id, extra_context)

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        """Django's form; a POST without the right to it is refused in words and leaves an entry."""
        if request.method == "POST":
            allowed = self.has_change_permission(request) if object_id else self.has_add_permission(request)
            if not allowed:
                self._refuse(request, "change" if object_id else "add", object_id)
        return self.allowed_form(request, object_id, form_url, extra_context)

    def allowed_form(self, request, object_id, form_url, extra_context):
        """The form itself, once it is known that the person may see or send it."""
        return super().changeform_view(request, object_id, form_url, extra_context)

    def _refuse(self, request, verb, object_id):
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.get_object(request, object_id) if object_id else None
        case = row if hasattr(row, "ref") else getattr(row, "initiative", None)
        what = self.model._meta.verbose_name
        refusal = Refused(
            f"The administration does not {verb} a {what}.",
            "What machine or record owns changes through its own pages, with reasons; nothing is deleted.",
        )
        if request.method == "POST":
            with acting(by=request.user):
                record.record(
                    EntryKind.REFUSED,
                    case=case,
                    act=f"admin: {verb} {self.model._meta.label_lower} {object_id or ''}".strip(),
                    answer=str(refusal),
                )
            refusal.recorded = True
        raise refusal


class ReadOnly(NoDeleting, admin.ModelAdmin):
    """Rows that machine or record own: listed, searched, filtered, exported; never touched."""

    show_full_result_count = False

    def has_add_permission(self, request, obj=None):
        """Nobody adds here."""
        return False

    def has_change_permission(self, request, obj=None):
        """Nobody changes here."""
        return False

    def get_exclude(self, request, obj=None):
        """Leave out what is never shown."""
        return self.never_shown


class ReadOnlyHistory(ReadOnly, SimpleHistoryAdmin):
    """The same, with the history of each row."""


def read_only(model, place, *, site=admin.site, base=None, **options):
    """Register a model as read-only, with its history where it has one, at its place in the index.

    `place`: its subject, or that and its plain name there. `options`: attributes of the ModelAdmin.
    """
    subject, words = (place, "") if isinstance(place, str) else place
    # What a list shows of other rows comes along in its one question.
    fields = {field.name for field in model._meta.fields if field.is_relation}
    options.setdefault("list_select_related", tuple(fields.intersection(options["list_display"])))
    base = base or (ReadOnlyHistory if hasattr(model, "history") else ReadOnly)
    site.register(
        model, type(f"{model.__name__}Admin", (base,), options | {"subject": subject, "index_name": words})
    )


class ReasonForm(forms.ModelForm):
    """A form of the admin with an optional reason, which stands in the history."""

    reason = forms.CharField(
        required=False, max_length=500, widget=forms.TextInput(attrs={"size": 80}), help_text=REASON_HELP
    )


class Recorded(NoDeleting, SimpleHistoryAdmin):
    """Rows that admins keep: each save is an act with who and why, and an entry says what changed."""

    form = ReasonForm
    adding = "added"

    def allowed_form(self, request, object_id, form_url, extra_context):
        """The whole form in one act of the person: every row saved inside it carries who and why."""
        if request.method != "POST":
            return super().allowed_form(request, object_id, form_url, extra_context)
        try:
            with acting(by=request.user, reason=request.POST.get("reason", "")[:500].replace("\0", "")):
                return super().allowed_form(request, object_id, form_url, extra_context)
        except ValidationError as wrong:
            # What an act found wrong that the form could not know: somebody else was faster.
            self.message_user(request, " ".join(wrong.messages), messages.ERROR)
            return redirect(request.path)

    def response_add(self, request, obj, post_url_continue=None):
        """Say where it goes on: whoever sets Plumbline up came from the desk, which knows the next step."""
        response = super().response_add(request, obj, post_url_continue)
        link = format_html('What comes next stands in <a href="{}">your inbox</a>.', admin.site.site_url)
        self.message_user(request, link)
        return response

    def save_model(self, request, obj, form, change):
        """Add through the action; record what a change changed."""
        reason = form.cleaned_data.get("reason", "")
        if not change:
            self.take(obj, self.add_row(form.cleaned_data, reason=reason, by=request.user))
            return
        before = type(obj).objects.get(pk=obj.pk)
        fields = [name for name in form.changed_data if name != "reason"]
        if not fields:
            return
        obj.save()
        record.record(
            EntryKind(f"{self.model._meta.verbose_name} changed"),
            row=str(obj),
            row_id=obj.pk,
            before={name: _plain(getattr(before, name)) for name in fields},
            after={name: _plain(getattr(obj, name)) for name in fields},
        )

    def add_row(self, cleaned, *, reason, by):
        """Add the row through its action; each kind of row says which."""
        raise NotImplementedError

    @staticmethod
    def take(obj, saved):
        """Let the object of the form be the row that the action saved."""
        obj.__dict__.update(saved.__dict__)


def _plain(value):
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)
