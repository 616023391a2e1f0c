"""`manage.py seal`: seal the committed entries once, and print the tree's state."""

import base64

from django.core.management.base import BaseCommand, CommandError

from governance.transparency_log import sealing


class Command(BaseCommand):
    """Seal once, as the worker does every few seconds."""

    help = "Seal every committed entry of the audit log and print the size and the root of the tree."

    def handle(self, *args, **options) -> None:
        """Seal once. Raises CommandError when the stored tree is not the one that was signed last."""
        try:
            checkpoint = sealing.seal() or sealing.newest()
        except sealing.AuditLogBroken as broken:
            raise CommandError(str(broken)) from None
        if checkpoint is None:
            self.stdout.write("The audit log is empty, so no entry was sealed.")
            return
        self.stdout.write(f"size {checkpoint.size}\nroot {base64.b64encode(bytes(checkpoint.root)).decode()}")
