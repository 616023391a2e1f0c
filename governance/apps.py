"""The app of rules and audit log: checks, triggers after each migrate, signals of the library."""

import gc
import re

from django import forms
from django.apps import AppConfig
from django.core import checks
from django.db.models.signals import post_migrate, pre_migrate

from governance.vocabulary.readable_text import ReadableText

# Every text field of every form refuses characters that readers cannot see. A field copies the validators of its class
# when it is made, so they are set here: this module is loaded before any model or form.
for field in (forms.CharField, forms.EmailField, forms.SlugField, forms.URLField):
    field.default_validators = [*field.default_validators, ReadableText()]

# A browser sends no line break from a field of one line. Text of another program is read in the same way.
read_text = forms.TextInput.value_from_datadict


def one_line(widget, data, files, name):
    """Return the text of a field of one line, with spaces for line breaks."""
    value = read_text(widget, data, files, name)
    return re.sub(r"[\r\n]+", " ", value) if isinstance(value, str) else value


setattr(forms.TextInput, "value_from_datadict", one_line)  # noqa: B010 - a type checker takes no new method


class GovernanceConfig(AppConfig):
    """People and boards, the rulebook, contracts, policy decisions, the audit log, notifications."""

    name = "governance"
    # Rows read for an act are tens of thousands of objects and free of cycles: to look through them for cycles every
    # seven hundred costs a third of the act. So many are looked through at once; a few megabytes wait for it at most.
    # What is loaded at the start stays, and is never looked through: that would stop a page for a fifth of a second.
    LOOKED_THROUGH = 20_000
    verbose_name = "Governance"

    def ready(self):
        """Protect the audit log's tables after each migrate, and install contributions."""
        gc.collect()
        gc.freeze()
        gc.set_threshold(self.LOOKED_THROUGH, *gc.get_threshold()[1:])
        from governance import contributions
        from governance.audit_log import row_capture
        from governance.operations import heartbeats, static_files
        from governance.runtime import web_server
        from governance.storage import data_folder
        from governance.transparency_log import database_guards

        checks.register(row_capture.check_models, checks.Tags.models)
        checks.register(web_server.check_server, checks.Tags.security, deploy=True)
        checks.register(static_files.check_collected, checks.Tags.staticfiles, deploy=True)
        pre_migrate.connect(database_guards.before_migrate, sender=self, dispatch_uid="plumbline-views")
        post_migrate.connect(database_guards.after_migrate, sender=self, dispatch_uid="plumbline-guards")
        post_migrate.connect(data_folder.after_migrate, sender=self, dispatch_uid="plumbline-folder")
        heartbeats.listen()
        contributions.install("governance.contribution")
