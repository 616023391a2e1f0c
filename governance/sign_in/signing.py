"""The one door at which whoever binds something shows, at that moment, who they are.

A vote, a decision, the approval of a contract, the acceptance of a role, the agreement to a waiver, a verification, a
re-attestation, the kill switch, a legal hold and an erasure use it, so that none of them is easier than another.

By a passkey: the page is sent once to have the statement frozen (`Shown`, answered as JSON), and once more with what
the authenticator signed. That second sending is checked like any other, its statement written anew and compared with
the frozen one; the first is never replayed. By a password, with a code where there is an app: in the one sending that
signs.
"""

from datetime import datetime

from django import forms
from django.core import signing as django_signing
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.functional import cached_property

from governance import clock
from governance.database import row_history
from governance.identity.factors import codes, passkeys
from governance.identity.proofs import ceremony, demands, statements
from governance.sign_in import reauthentication, throttling
from governance.vocabulary import Strength, Tier

TOO_MANY = "too many"  # the code of the error that answers 429
PREPARE, TOKEN, ASSERTION, CODE, SHOWN = (
    "sign_prepare",
    "sign_token",
    "sign_assertion",
    "sign_code",
    "sign_shown",
)
SALT = "governance.shown"


class Shown(Exception):
    """A statement was frozen to be signed by a passkey; `answer` is what the script of the page needs, as JSON
    holds it.
    """

    def __init__(self, answer: dict):
        super().__init__("A statement was frozen.")
        self.answer = answer


class SignatureInput(forms.PasswordInput):
    """The password, the code of an app, and what a passkey leaves: whatever of it this person can sign with."""

    asked: demands.Asked | None = None
    shown = ""

    def render(self, name, value, attrs=None, renderer=None):
        """The password alone where there is nothing else."""
        attrs = dict(attrs or {})
        if self.asked is not None and self.asked.passkeys:
            attrs.pop("required", None)
        password = super().render(name, value, attrs, renderer)
        if self.asked is None:
            return password
        context = {
            "password": password,
            "id": attrs.get("id", name),
            "asked": self.asked,
            "shown": self.shown,
        }
        return render_to_string("governance/factors/signature_input.html", context)


class SignatureField(forms.CharField):
    """The password; not asked for where a passkey signs."""

    widget = SignatureInput
    by_passkey = False

    def validate(self, value):
        """Required, unless a passkey stands in for it."""
        if not self.by_passkey:
            super().validate(value)


class SigningForm(forms.Form):
    """A form that is valid only with a proof of whoever sends it, asked for as its last field each time.

    `purpose` says in words what is signed; a wrong proof is an entry of the record with these words. `act` is what the
    rulebook calls it, where it asks for a strength. `facts` (values, or a function that reads them) is what the
    signature rests on besides the words of the form and the state of the case. The proof is looked at only once
    everything else is in order, never stands in `cleaned_data`, and is kept beside the act that follows. Where one
    button of a form binds nothing, the form makes the field optional for it.
    """

    act = "act"
    password = SignatureField(
        label="Your password",
        strip=False,
        help_text="Signing needs it each time.",
        widget=SignatureInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args, request: HttpRequest, purpose: str, act: str = "", facts=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.request, self.purpose, self.act = request, purpose, act or self.act
        self._facts = facts
        field = self.fields["password"]
        field.by_passkey = bool(self.data.get(ASSERTION)) or PREPARE in self.data
        if self.asked.passkeys or self.asked.app:
            field.widget.asked = self.asked
            field.widget.shown = django_signing.dumps(clock.now().isoformat(), salt=SALT)
        if self.asked.passkeys:
            field.label, field.help_text = "Your signature", "Your passkey signs: leave the password empty."
            if self.asked.by_password:
                field.help_text += " Or type your password."
        if self.asked.why_not:
            field.help_text = self.asked.why_not
        self.order_fields([name for name in self.fields if name != "password"])

    @cached_property
    def asked(self) -> demands.Asked:
        """What this act asks of a signature, and by what this person can sign."""
        return demands.asked_of(self.request.user, self.act, *self.tiers())

    def tiers(self) -> list[str]:
        """The risk tiers that it is about: that of the case; each of them where it is about no case, or about many."""
        case = row_history.concerned()
        return [case.tier] if hasattr(case, "tier") else list(Tier)

    def add_prefix(self, field_name):
        """The password is sent under its own name, as the script of the page looks for it."""
        return field_name if field_name == "password" else super().add_prefix(field_name)

    def clean(self):
        """Everything else first; then the proof, counted and slowed down as everywhere."""
        cleaned = super().clean() or self.cleaned_data
        password = cleaned.pop("password", None)
        if PREPARE in self.data:
            self._prepare(cleaned)
            return cleaned
        if self.errors or "password" not in self.fields:
            return cleaned
        if self.data.get(ASSERTION) and self.fields["password"].required:
            self._by_passkey(cleaned)
        elif password:
            self._by_password(cleaned, password)
        return cleaned

    def _prepare(self, cleaned: dict) -> None:
        """Freeze the statement and hand over its challenge; where it cannot be signed so, nothing is done. Raises
        Shown.
        """
        field = self.fields.get("password")
        if self.errors or field is None or not field.required or not self.asked.passkeys:
            self.add_error(None, "Nothing was signed yet.")
            return
        frozen = self._freeze(cleaned, clock.now())
        options = passkeys.request_options(list(self.asked.passkeys), bytes(frozen.challenge))
        raise Shown({"get": options, "token": frozen.token, "statement": frozen.statement})

    def _freeze(self, cleaned: dict, shown_at: datetime):
        """Freeze what is signed."""
        return ceremony.freeze(self.request.user, self._statement(cleaned, shown_at), shown_at)

    def _by_passkey(self, cleaned: dict) -> None:
        try:
            self._hold_assertion(
                cleaned,
                token=self.data.get(TOKEN, ""),
                sent=self.data[ASSERTION],
                purpose=self.purpose,
                address=throttling.address_of(self.request),
            )
        except ceremony.CeremonyEnded as ended:
            self.add_error(
                "password", f"{ended} Nothing was signed. Read it again, and sign what is true now."
            )
        except passkeys.PasskeyRefused as refused:
            self.add_error("password", f"The passkey was refused: {refused}. Nothing was signed.")

    def _hold_assertion(self, cleaned: dict, **sent) -> None:
        """Hold the proof by what a passkey signed. Raises CeremonyEnded and PasskeyRefused."""
        ceremony.hold(
            ceremony.by_passkey(
                self.request.user,
                again=lambda shown_at: self._statement(cleaned, shown_at),
                act=self.act,
                **sent,
            )
        )

    def _by_password(self, cleaned: dict, password: str) -> None:
        if not self.asked.by_password:
            least = Strength(self.asked.least).label.lower()
            words = self.asked.why_not or f"The rulebook asks that this is signed by at least: {least}."
            self.add_error("password", f"{words} Nothing was signed.")
            return
        person, address = self.request.user, throttling.address_of(self.request)
        code = self.data.get(CODE, "").strip()
        if self.asked.app is not None and not code:
            self.add_error("password", "Type the code that your authenticator app shows now, too.")
            return
        wrong = reauthentication.why_refused(person, password, purpose=self.purpose, address=address)
        shown_at = self._shown_at()
        if not wrong and self.asked.app is not None:
            wrong = codes.why_refused(person, code, purpose=self.purpose, address=address, since=shown_at)
        if wrong:
            too_many = TOO_MANY if wrong.startswith("Too many") else None
            self.add_error("password", ValidationError(f"{wrong} Nothing was signed.", too_many))
            return
        self._hold_word(cleaned, shown_at, with_code=self.asked.app is not None)

    def _hold_word(self, cleaned: dict, shown_at: datetime, *, with_code: bool) -> None:
        """Hold the proof by a password that was right."""
        statement = self._statement(cleaned, shown_at)
        ceremony.hold(
            ceremony.by_password(
                self.request.user, act=self.act, statement=statement, shown_at=shown_at, with_code=with_code
            )
        )

    def _statement(self, cleaned: dict, shown_at: datetime) -> str:
        """What is signed, written from the words of this form and from facts as they are now."""
        case = row_history.concerned()
        facts = self._facts() if callable(self._facts) else self._facts or {}
        state = {name: getattr(case, name) for name in ("ref", "stage", "tier") if hasattr(case, name)}
        return statements.write(
            person_id=self.request.user.pk,
            act=self.act,
            purpose=self.purpose,
            shown_at=shown_at,
            words=self.signed_words(cleaned),
            facts={"page": self.request.path, **state, **facts},
        )

    def signed_words(self, cleaned: dict) -> dict:
        """What of the form is signed, by name: all of it, unless a form says otherwise."""
        return cleaned

    def _shown_at(self) -> datetime:
        """When the page was shown, as it says itself under our seal; now where it says nothing."""
        now = clock.now()
        try:
            return min(now, datetime.fromisoformat(django_signing.loads(self.data.get(SHOWN, ""), salt=SALT)))
        except django_signing.BadSignature:
            return now

    @property
    def status(self) -> int:
        """The HTTP status of the page that shows this form: 429 after too many wrong proofs, else 200."""
        return 429 if self.is_bound and self.has_error("password", TOO_MANY) else 200
