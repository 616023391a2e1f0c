"""The one door at which whoever binds something shows, at that moment, who they are.

A sign-off, a decision, the approval of a contract, the acceptance of a role, the agreement to a waiver, a verification,
a re-attestation, the kill switch, a legal hold and an erasure use it, so that none of them is easier than another.

By a passkey: the page is sent once to have the statement frozen (`Shown`, answered as JSON), and once more with what
the authenticator signed. That second sending is checked like any other, its statement written anew and compared with
the frozen one; the first is never replayed. By an identity provider: the same, but the first sending opens a second
tab, which shows the statement and leads to the provider (`ShownAtProvider`), while the page with all that was typed
stays open, to be sent again. By a password, with a code where there is an app: in the one sending that signs.
"""

from datetime import datetime

from django import forms
from django.core import signing as django_signing
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils.functional import cached_property

from governance import clock
from governance.database import row_history
from governance.identity.factors import codes, passkeys
from governance.identity.proofs import ceremony, demands, provider_tokens, statements
from governance.models import ExternalIdentity
from governance.sign_in import reauthentication, throttling
from governance.sign_in.password_validators import PasswordField
from governance.vocabulary import Strength, Tier

TOO_MANY = "too many"  # the code of the error that answers 429
PREPARE, TOKEN, ASSERTION, CODE, SHOWN = (
    "sign_prepare",
    "sign_token",
    "sign_assertion",
    "sign_code",
    "sign_shown",
)
AT = "at "  # before the short name of a provider, as the value of PREPARE
SALT = "governance.shown"


class Shown(Exception):
    """A statement was frozen to be signed by a passkey; `answer` is what the script of the page needs, as JSON
    holds it.
    """

    def __init__(self, answer: dict):
        super().__init__("A statement was frozen.")
        self.answer = answer

    def response(self) -> HttpResponse:
        """What the request is answered with, in place of its page."""
        return JsonResponse(self.answer, headers={"Cache-Control": "no-store"})


class ShownAtProvider(Shown):
    """A statement was frozen to be signed at an identity provider; it is shown, and leads there."""

    def __init__(self, token: str, link: ExternalIdentity):
        super().__init__({"slug": link.provider.slug, "token": token})

    def response(self) -> HttpResponse:
        """To the page that shows it."""
        return redirect("signing-there", **self.answer)


class SignatureInput(forms.PasswordInput):
    """The password, the code of an app, what a passkey leaves, and the way to a provider: whatever of it this person
    can sign with.
    """

    asked: demands.Asked | None = None
    shown = token = ""

    def render(self, name, value, attrs=None, renderer=None):
        """The password alone where there is nothing else."""
        attrs = dict(attrs or {})
        if self.asked is not None and (self.asked.passkeys or self.asked.by_provider):
            attrs.pop("required", None)
        password = super().render(name, value, attrs, renderer)
        if self.asked is None:
            return password
        context = {
            "password": password if self.asked.has_password else "",
            "id": attrs.get("id", name),
            "asked": self.asked,
            "shown": self.shown,
            "token": self.token,
            "providers": [(link.provider, f"{AT}{link.provider.slug}") for link in self.asked.by_provider],
        }
        return render_to_string("governance/factors/signature_input.html", context)


class SignatureField(PasswordField):
    """The password; not asked for where something else signs."""

    widget = SignatureInput
    by_other = False

    def validate(self, value):
        """Required, unless something else stands in for it: what that is, the form looks at."""
        if not self.by_other:
            super().validate(value)


class SigningForm(forms.Form):
    """A form that is valid only with a proof of whoever sends it, asked for as its last field each time.

    `purpose` says in words what is signed; a wrong proof is an entry of the audit log with these words. `act` is what
    the rulebook calls it, where it asks for a strength. `facts` (values, or a function that reads them) is what the
    signature rests on besides the words of the form and the state of the initiative. The proof is looked at only once
    everything else is in order, never stands in `cleaned_data`, and is kept beside the act that follows. Where one
    button of a form binds nothing, the form makes the field optional for it.
    """

    act = "act"
    password = SignatureField(
        label="Your password",
        help_text="Signing needs it each time.",
        widget=SignatureInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args, request: HttpRequest, purpose: str, act: str = "", facts=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.request, self.purpose, self.act = request, purpose, act or self.act
        self._facts = facts
        asked, field = self.asked, self.fields["password"]
        passkey = bool(self.data.get(ASSERTION)) or PREPARE in self.data
        field.by_other = passkey or bool(asked.by_provider) or not asked.has_password or self.signed_there()
        if not asked.password_alone:
            field.widget.asked = asked
            field.widget.shown = django_signing.dumps(clock.now().isoformat(), salt=SALT)
            field.widget.token = self._token()
        if asked.passkeys or asked.by_provider or not asked.has_password:
            field.label, field.help_text = "Your signature", self._ways()
        if asked.why_not:
            field.help_text = asked.why_not
        self.order_fields([name for name in self.fields if name != "password"])

    @cached_property
    def asked(self) -> demands.Asked:
        """What this act asks of a signature, and by what this person can sign."""
        return demands.asked_of(self.request.user, self.act, *self.tiers())

    def tiers(self) -> list[str]:
        """The risk tiers that it is about: that of the initiative; each of them where it is about no initiative, or
        about many.
        """
        initiative = row_history.concerned()
        return [initiative.tier] if hasattr(initiative, "tier") else list(Tier)

    def add_prefix(self, field_name):
        """The password is sent under its own name, as the script of the page looks for it."""
        return field_name if field_name == "password" else super().add_prefix(field_name)

    def _ways(self) -> str:
        """By what this person can sign, in words."""
        ways = []
        if self.asked.passkeys:
            empty = ": leave the password empty" if self.asked.has_password else ""
            ways.append(f"Your passkey signs{empty}.")
        if self.asked.by_provider:
            names = " or ".join(link.provider.name for link in self.asked.by_provider)
            begin = "Or sign" if ways else "Sign"
            ways.append(f"{begin} in anew at {names}; this page stays open, and is sent after that.")
        if self.asked.by_password:
            ways.append("Or type your password.")
        return " ".join(ways)

    def signed_there(self) -> bool:
        """Whether what is sent names a statement that somebody signed at a provider."""
        token = self.data.get(TOKEN, "")
        return bool(token) and ceremony.named(token).exclude(identity=None).exists()

    def _token(self) -> str:
        """What the statement of this page is called by: a new name, unless one waits to be signed under its own."""
        sent = self.data.get(TOKEN, "")
        return sent if sent and ceremony.waits(self.request.user, sent) else ceremony.new_token()

    def clean(self):
        """Everything else first; then the proof, counted and slowed down as everywhere."""
        cleaned = super().clean() or self.cleaned_data
        password = cleaned.pop("password", None)
        if PREPARE in self.data:
            self._prepare(cleaned)
            return cleaned
        if self.errors or "password" not in self.fields:
            return cleaned
        needed = self.fields["password"].required
        if needed and self.data.get(ASSERTION):
            self._by_passkey(cleaned)
        elif needed and self.signed_there():
            self._by_provider(cleaned)
        elif password:
            self._by_password(cleaned, password)
        elif needed:
            why = self.asked.why_not or f"Nothing shows yet that it is you. {self._ways()}"
            self.add_error("password", f"{why} Nothing was signed.")
        return cleaned

    def _prepare(self, cleaned: dict) -> None:
        """Freeze the statement and hand over its challenge, or lead to the provider that is named; where it cannot be
        signed so, nothing is done. Raises Shown.
        """
        field, wanted, now = self.fields.get("password"), self.data[PREPARE], clock.now()
        links = {f"{AT}{link.provider.slug}": link for link in self.asked.by_provider}
        able = wanted in links if wanted.startswith(AT) else self.asked.passkeys
        if self.errors or field is None or not field.required or not able:
            self.add_error(None, "Nothing was signed yet.")
            return
        frozen = self._freeze(cleaned, now, token=self.data.get(TOKEN, "") if wanted in links else "")
        if wanted in links:
            raise ShownAtProvider(frozen.token, links[wanted])
        options = passkeys.request_options(list(self.asked.passkeys), bytes(frozen.challenge))
        raise Shown({"get": options, "token": frozen.token, "statement": frozen.statement})

    def _freeze(self, cleaned: dict, shown_at: datetime, token: str):
        """Freeze what is signed, under this token where one is given."""
        return ceremony.freeze(self.request.user, self._statement(cleaned, shown_at), shown_at, token=token)

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

    def _by_provider(self, cleaned: dict) -> None:
        try:
            self._hold_token(
                cleaned,
                token=self.data[TOKEN],
                least=Strength(self.asked.least),
                purpose=self.purpose,
                address=throttling.address_of(self.request),
            )
        except provider_tokens.KeyNotSealed as waits:
            self.add_error("password", f"{waits} Nothing was signed. Send it again in a minute.")
        except ceremony.CeremonyEnded as ended:
            self.add_error(
                "password", f"{ended} Nothing was signed. Read it again, and sign what is true now."
            )

    def _hold_token(self, cleaned: dict, **sent) -> None:
        """Hold the proof by what a provider signed. Raises CeremonyEnded and KeyNotSealed."""
        ceremony.hold(
            ceremony.by_provider(
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
        initiative = row_history.concerned()
        facts = self._facts() if callable(self._facts) else self._facts or {}
        state = {
            name: getattr(initiative, name) for name in ("ref", "stage", "tier") if hasattr(initiative, name)
        }
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
