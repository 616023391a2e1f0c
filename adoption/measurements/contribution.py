"""The addition of measurements to the verification of the audit log."""

from adoption.measurements import batch_digest, tallies
from initiatives.contributions import Contribution

CONTRIBUTION = Contribution(sealed_batches=[batch_digest.broken], derived=[tallies.unlike])
