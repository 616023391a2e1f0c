"""`manage.py seal`: seal what is committed, once, and say where the audit log stands."""

import base64

from django.core.management.base import BaseCommand, CommandError

from governance.transparency_log import sealing


class Command(BaseCommand):
    """What the worker does every few seconds."""

    help = "Seal every committed entry of the audit log and print the size and the root of the tree."

    def handle(self, *args, **options) -> None:
        """Seal once. Raises CommandError when the stored tree is not the one that was signed last."""
        try:
            checkpoint = sealing.seal() or sealing.newest()
        except sealing.AuditLogBroken as broken:
            raise CommandError(str(broken)) from None
        if checkpoint is None:
            self.stdout.write("The audit log is empty; there is nothing to seal.")
            return
        self.stdout.write(f"size {checkpoint.size}\nroot {base64.b64encode(bytes(checkpoint.root)).decode()}")
