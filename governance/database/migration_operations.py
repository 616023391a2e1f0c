"""The operations of the initial migrations: all models in one step, and the `.sql` files beside them."""

from pathlib import Path

from django.db.migrations.operations import CreateModel, RunSQL
from django.db.migrations.operations.base import Operation


def sql_files(migration: str, folder: str) -> list[RunSQL]:
    """One operation for each `.sql` file in the folder beside a migration, sorted by name.

    `migration`: its `__file__`. A function may call one that a later file creates: PostgreSQL does not look into the
    bodies of functions while these files run.
    """
    return [
        RunSQL(["SET LOCAL check_function_bodies = off", path.read_text(encoding="utf-8")])
        for path in sorted((Path(migration).parent / folder).glob("*.sql"))
    ]


class Together(Operation):
    """Do these in one step: create models, add, alter and drop fields, indexes and constraints.

    Django renders every model that hangs together anew after each operation, and here all do: a new database took a
    hundred seconds one by one, and takes thirty together. A model that is created here is created as it is at the end
    of the step, so that what the step adds to it later is there already. No step names one field of an older model
    twice: each operation sees the state before the step and after it, and nothing between.
    """

    reduces_to_sql = True
    reversible = True

    def __init__(self, operations: list[Operation]):
        self.operations = operations

    def deconstruct(self):
        """As it is written in a migration."""
        return type(self).__name__, [self.operations], {}

    def state_forwards(self, app_label, state):
        """All of them, rendered once by whoever looks next."""
        state.__dict__.pop("apps", None)
        for one in self.operations:
            one.state_forwards(app_label, state)

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        """The tables in this order, and what is added to others."""
        for one in self._of_the_database():
            one.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        """Undo them, the last one first."""
        for one in reversed(self._of_the_database()):
            one.database_backwards(app_label, schema_editor, from_state, to_state)

    def _of_the_database(self) -> list[Operation]:
        """Those that the creation of their own model does not contain."""
        created = {one.name_lower for one in self.operations if isinstance(one, CreateModel)}
        return [
            one
            for one in self.operations
            if isinstance(one, CreateModel) or one.model_name_lower not in created
        ]

    def describe(self):
        """What it does, for whoever reads the plan of a migration."""
        return f"{len(self.operations)} operations on models in one step"
