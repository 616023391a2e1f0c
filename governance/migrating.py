"""Many tables in one step of a migration."""

from django.db.migrations.operations.base import Operation
from django.db.migrations.operations.models import CreateModel


class CreateTogether(Operation):
    """Create these models in one step, each with its indexes and constraints.

    Django renders every model that hangs together anew after each operation, and here all do: fifty operations one by
    one took minutes, together they take a second.
    """

    reduces_to_sql = True
    reversible = True

    def __init__(self, operations: list[CreateModel]):
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
        """The tables, in this order."""
        for one in self.operations:
            one.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        """Drop them, the last one first."""
        for one in reversed(self.operations):
            one.database_backwards(app_label, schema_editor, from_state, to_state)

    def describe(self):
        """What it does, for whoever reads the plan of a migration."""
        return f"Create {len(self.operations)} models"
