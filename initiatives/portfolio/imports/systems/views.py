"""The page that imports systems from a table."""

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from governance.models import User
from governance.organisation.forms import LinesForm
from governance.organisation.table_lines import NEW
from governance.runtime.signed_in_request import SignedInRequest
from governance.tables.importing import Look, SentTable, Target, bring_in
from governance.templatetags.plumbline import day
from initiatives.integration.systems.permissions import may_import_systems
from initiatives.models.integration.systems import SYSTEM_KINDS
from initiatives.portfolio.imports.systems import actions
from initiatives.portfolio.imports.systems.forms import KindsForm
from initiatives.portfolio.imports.systems.systems_table import (
    COLUMNS,
    EXAMPLE,
    NEEDED,
    Line,
    read,
    words_asked,
)


class SystemsTable(Target):
    """Systems from a table. All new lines are added at once, or none."""

    form_class = LinesForm
    columns = COLUMNS
    expected = NEEDED
    headings = (
        (gettext_lazy("System"), ""),
        (gettext_lazy("Kind"), ""),
        (gettext_lazy("Owner"), ""),
        (gettext_lazy("Last updated"), "nowrap"),
        (gettext_lazy("Key"), ""),
    )
    help_template = "governance/organisation/_table_example.html"
    title = gettext_lazy("Systems from a table")
    lede = gettext_lazy(
        "A table with one system on each line, for instance the export of a CMDB. Existing systems change only as "
        "you choose."
    )

    def __init__(self, by: User):
        self.by, self.back = by, reverse("systems")

    def context(self) -> dict:
        """Return the context of the page: navigation, columns and an example."""
        return {
            "nav": "systems",
            "up": _("Systems"),
            "help": {
                "columns": [names[0] for name, names in COLUMNS.items() if not name.startswith("other_")],
                "needs": _(
                    "Only the name and the kind are needed. The headers of ServiceNow, Backstage, LeanIX and "
                    "iTop are known. Lines that their source marks as retired are left out."
                ),
                "example": EXAMPLE,
            },
        }

    def look(self, sent: SentTable) -> Look:
        """Return the result of each line. The page asks for unknown kinds and offers changes."""
        form = _kinds_form(sent)
        look = read(sent.table, form.kinds(), form.taken()).look(_cells_of)
        look.mapping = form if form.fields else None
        return look

    def enter(self, sent: SentTable, look: Look) -> str:
        """Add every system that is new, and make the changes that were taken."""
        form = _kinds_form(sent)
        lines = actions.import_systems(
            table=sent.table, kinds=form.kinds(), taken=form.taken(), by=self.by
        ).lines
        added = sum(line.state == NEW for line in lines)
        words = ngettext("%(count)d system is added.", "%(count)d systems are added.", added) % {
            "count": added
        }
        if changed := sum(bool(line.taken) for line in lines):
            more = ngettext("%(count)d system is changed.", "%(count)d systems are changed.", changed)
            words = f"{words} {more % {'count': changed}}"
        return words


def _kinds_form(sent: SentTable) -> KindsForm:
    form = KindsForm(words_asked(sent.table), sent.posted)
    form.offer(read(sent.table, form.kinds()).lines)
    return form


def _cells_of(line: Line) -> tuple[str, ...]:
    """Return the cells of a line as they are understood."""
    fields = line.fields
    return (
        line.name,
        SYSTEM_KINDS.get(fields.get("kind", ""), line.cells["kind"]),
        str(fields.get("owner", "")),
        day(fields["last_updated_on"]) if "last_updated_on" in fields else "",
        line.cells["source_key"],
    )


@require_http_methods(["GET", "HEAD", "POST"])
def from_table(request: SignedInRequest) -> HttpResponse:
    """Show systems of a table line by line to correct, and add all or none."""
    may_import_systems(request.user).or_refuse()
    return bring_in(request, SystemsTable(request.user))
