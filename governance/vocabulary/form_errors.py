"""The errors of an act, shown on the form that asked for it."""

from django.core.exceptions import ValidationError
from django.forms import BaseForm


def put_errors(form: BaseForm, wrong: ValidationError) -> None:
    """Put the errors on the form, each at its field, or at the top if its field is not on the form."""
    if not hasattr(wrong, "error_dict"):
        form.add_error(None, wrong)
        return
    for name, problems in wrong.error_dict.items():
        form.add_error(name if name in form.fields else None, problems)
