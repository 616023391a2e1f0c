"""Which folder holds the files that rows speak of."""

from django.db import models
from django.db.models import Q


class DataFolder(models.Model):
    """The mark of the folder of files that belongs to this database (`governance.folder`). At most one row."""

    not_governed = "true of the place and not of the organisation: it is in no backup, and decides nothing"
    not_in_admin = "one row, which `manage.py adopt_folder` writes"

    mark = models.CharField(max_length=64)
    marked_at = models.DateTimeField()
    only = models.BooleanField(default=True, unique=True, editable=False)

    class Meta:
        constraints = [models.CheckConstraint(name="one_folder_of_files", condition=Q(only=True))]

    def __str__(self) -> str:
        return self.mark
