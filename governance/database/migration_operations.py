"""Operations of the initial migrations: all models in one step, and `.sql` files."""

from pathlib import Path

from django.db.migrations.operations import CreateModel, RunSQL
from django.db.migrations.operations.base import Operation


def sql_files(migration: str, folder: str) -> list[RunSQL]:
    """Return one operation for each `.sql` file in a folder beside a migration, by name.

    `migration`: its `__file__`. A function may call one that a later file creates, because PostgreSQL does not check
    the bodies of functions while these files run.
    """
    return [
        RunSQL(["SET LOCAL check_function_bodies = off", path.read_text(encoding="utf-8")])
        for path in sorted((Path(migration).parent / folder).glob("*.sql"))
    ]


class Together(Operation):
    """Do these in one step: create models, and change fields, indexes and constraints.

    Django renders every connected model again after each operation, and here all are connected: a new database took a
    hundred seconds one by one, and takes thirty together. A model that is created here is created as it is at the end
    of the step, with what the step adds to it later. No step names one field of an older model twice, because each
    operation sees only the states before and after the step.
    """

    reduces_to_sql = True
    reversible = True

    def __init__(self, operations: list[Operation]):
        self.operations = operations

    def deconstruct(self):
        """Return the form of this operation in a migration."""
        return type(self).__name__, [self.operations], {}

    def state_forwards(self, app_label, state):
        """Apply all operations to the state, which is rendered once at its next use."""
        state.__dict__.pop("apps", None)
        for one in self.operations:
            one.state_forwards(app_label, state)

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        """Create the tables in this order, and what is added to other tables."""
        for one in self._of_the_database():
            one.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        """Undo them, the last one first."""
        for one in reversed(self._of_the_database()):
            one.database_backwards(app_label, schema_editor, from_state, to_state)

    def _of_the_database(self) -> list[Operation]:
        """Return the operations that the creation of their model does not contain."""
        created = {one.name_lower for one in self.operations if isinstance(one, CreateModel)}
        return [
            one
            for one in self.operations
            if isinstance(one, CreateModel) or one.model_name_lower not in created
        ]

    def describe(self):
        """Return a description for the plan of a migration."""
        return f"{len(self.operations)} operations on models in one step"
