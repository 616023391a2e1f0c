"""Time-stamps of others under our checkpoints (RFC 3161)."""

from django.db import models

from governance.history import DatabaseNow
from governance.models.ledger import Checkpoint


class Timestamp(models.Model):
    """What an authority outside the house signed: that this checkpoint was there at its time. Append-only."""

    not_governed = "it is the record"
    not_in_admin = "a token of bytes; the page of the record shows it"

    checkpoint = models.ForeignKey(Checkpoint, models.DO_NOTHING, related_name="timestamps")
    url = models.CharField(max_length=250)
    token = models.BinaryField()  # the TimeStampToken in DER, over the SHA-256 of the checkpoint's note
    at = models.DateTimeField(db_default=DatabaseNow(), editable=False)

    def __str__(self) -> str:
        return f"time-stamp {self.pk} of checkpoint {self.checkpoint_id}"
