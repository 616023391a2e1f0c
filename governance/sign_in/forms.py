"""Forms for signing in and for loading a rulebook."""

from functools import lru_cache

import structlog
from django import forms
from django.contrib.auth import authenticate
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from governance.audit_log import entries
from governance.database.row_history import acting
from governance.identity.permissions import may_sign_in_locally
from governance.models.people import LONGEST_LOGIN
from governance.sign_in import throttling
from governance.sign_in.password_validators import PasswordField
from governance.vocabulary.entry_kinds import EntryKind

log = structlog.get_logger("plumbline.sign_in")
RULEBOOK_MAX_BYTES = 1024 * 1024


class SignInForm(forms.Form):
    """User name and password. `throttled_until` is set when the try was turned away unread."""

    username = forms.CharField(
        label=_("User name"),
        max_length=LONGEST_LOGIN,
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    password = PasswordField(
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, request, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.request = request
        self.person = None
        self.throttled_until = None

    def clean(self):
        """Count the try, then look at the password. Failures are logged without it."""
        cleaned = super().clean()
        if self.errors:
            return cleaned
        login, address = cleaned["username"], throttling.address_of(self.request)
        self.throttled_until = throttling.enter_sign_in(self.request, login)
        if self.throttled_until:
            log.warning("sign-in turned away", login=login, address=address)
            raise forms.ValidationError("Too many tries.")
        self.person = authenticate(self.request, username=login, password=cleaned["password"])
        # A right password where local accounts are off is answered like a wrong one, to reveal nothing.
        if self.person is not None and not may_sign_in_locally(self.person):
            self.person = None
        if self.person is None:
            log.warning("sign-in failed", login=login, address=address)
            with acting(system="sign-in"):
                entries.record(EntryKind.SIGN_IN_FAILED, login=login, address=address)
            raise forms.ValidationError(
                "The user name or the password is wrong, or the account is deactivated."
            )
        throttling.forget_sign_in(self.request, login)
        return cleaned


class RulebookForm(forms.Form):
    """A rulebook as a file or as text. `source` is the text to load."""

    file = forms.FileField(
        label=_("File"),
        required=False,
        help_text=_("A .toml file of at most 1 MB. Or paste its text below."),
        widget=forms.ClearableFileInput(attrs={"accept": ".toml,text/plain"}),
    )
    text = forms.CharField(
        label=_("Text"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 16, "spellcheck": "false", "class": "mono"}),
    )

    def clean(self):
        """Take the file before the text, and add an error for an invalid one."""
        cleaned = super().clean()
        file, text = cleaned.get("file"), cleaned.get("text") or ""
        if file is None and not text.strip() and not self.errors:
            self.add_error("text", "Choose a file, or paste the text of a rulebook.")
        if file is not None:
            if file.size > RULEBOOK_MAX_BYTES:
                self.add_error("file", "The file is larger than 1 MB. Choose the text file of a rulebook.")
                return cleaned
            try:
                text = file.read().decode("utf-8-sig")
            except UnicodeDecodeError:
                self.add_error("file", "The file is not text in UTF-8. Save it as UTF-8 and choose it again.")
                return cleaned
        cleaned["source"] = text.replace("\r\n", "\n")
        return cleaned


FEW = 10  # of so many, people choose by looking; of more, by typing


class UnitField(forms.ModelChoiceField):
    """A choice of a unit to look at. Units that an imported list named are marked."""

    def __init__(self, *args, **options):
        options.setdefault("widget", Picker)
        super().__init__(*args, **options)

    def label_from_instance(self, unit) -> str:
        """Return the name of the unit with its mark."""
        return unit.label


class Choices(forms.Select):
    """A select with options written at once, because the library renders a template each."""

    def render(self, name, value, attrs=None, renderer=None):
        """Return the element, for choices without groups."""
        given = frozenset(str(one) for one in self.format_value(value))
        choices = tuple(("" if key is None else str(key), str(words)) for key, words in self.choices)
        written = self.build_attrs(self.attrs, {"name": name, **self.marks(choices), **(attrs or {})})
        return format_html("<select{}>\n{}\n</select>", flatatt(written), _options(choices, given))

    def marks(self, choices: tuple[tuple[str, str], ...]) -> dict[str, bool]:
        """Return the attributes that depend on the choices."""
        return {}


class Picker(Choices):
    """A select of people or units. A script adds a search field if there are many."""

    def marks(self, choices):
        """Return the attribute for the script if there are many choices."""
        return {"data-pick": sum(bool(key) for key, _ in choices) > FEW}


@lru_cache(maxsize=100)
def _options(choices: tuple[tuple[str, str], ...], given: frozenset[str]) -> SafeString:
    """Return the options as HTML, cached because many pages have the same lists."""
    selected = mark_safe(" selected")
    rows = ((key, selected if key in given else "", words) for key, words in choices)
    return format_html_join("\n", '<option value="{}"{}>{}</option>', rows)
