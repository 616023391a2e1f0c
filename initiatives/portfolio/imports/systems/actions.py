"""The act that adds the systems of a table to the register, and makes the changes that were taken."""

from collections.abc import Container, Mapping

from governance import clock
from governance.audit_log import entries
from governance.database import row_history
from governance.models import User
from governance.organisation.table_lines import NEW, Lines
from governance.tables.reader import Table
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.integration.systems import permissions
from initiatives.integration.systems.actions import change_system, said_of
from initiatives.lifecycle.initiative.act import act
from initiatives.models import System
from initiatives.portfolio.imports.systems.systems_table import Line, read


def import_systems(
    *, table: Table, kinds: Mapping[str, str], taken: Container[str] = (), by: User
) -> Lines[Line]:
    """Add each new system of a table to the register, all or none, and return the lines (S1-24).

    `kinds`: the chosen kind by word. A system that is in the register changes as in `taken`. Raises ValidationError if
    a line is wrong, and Refused if `by` is not an admin.
    """
    with act("import systems", by=by, register=True):
        permissions.may_import_systems(by).or_refuse()
        lines = read(table, kinds, taken)
        lines.refuse_wrong()
        now = clock.now()
        systems = [System(described_by=by, described_at=now, **line.fields) for line in lines.of(NEW)]
        if systems:
            row_history.insert_many(System, systems)
        entries.record_many(
            EntryKind.SYSTEM_DESCRIBED,
            [
                (None, {"system": system.name, "system_id": system.pk, "said": said_of(system)})
                for system in systems
            ],
        )
        for line in lines.lines:
            if line.known is not None and line.taken:
                change_system(system=line.known, by=by, **line.taken)
    return lines
