"""The one check of the identity of a person who binds something, at that moment.

Every act that binds uses it, so that no act is easier than another (docs/identity.md, "What is signed").

A passkey takes two requests. The first freezes the statement (`Shown`, answered as JSON), and the second carries what
the authenticator signed. The second is checked like any other, and its statement is written again and compared with
the frozen one. The first is never replayed. An identity provider takes the same two, but the first opens a second
tab, which shows the statement and leads to the provider (`ShownAtProvider`). The page with the typed text stays open
for the second. A password, with a code if there is an app, takes one request.
"""

from collections.abc import Callable
from datetime import datetime

from django import forms
from django.core import signing as django_signing
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.translation import gettext_lazy

from governance import clock
from governance.database import rehearsing, row_history, shown_state
from governance.identity.factors import codes, passkeys
from governance.identity.proofs import ceremony, demands, provider_tokens, statements
from governance.models import ExternalIdentity
from governance.sign_in import reauthentication, throttling
from governance.sign_in.password_validators import PasswordField
from governance.vocabulary import Strength, Tier
from governance.vocabulary.phrases import phrase

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
    """A statement was frozen for a passkey. `answer`: what the page's script needs, as JSON."""

    def __init__(self, answer: dict):
        super().__init__("A statement was frozen.")
        self.answer = answer

    def response(self) -> HttpResponse:
        """Return the response in place of the page."""
        return JsonResponse(self.answer, headers={"Cache-Control": "no-store"})


class ShownAtProvider(Shown):
    """A statement was frozen to be signed at an identity provider, on a page that shows it."""

    def __init__(self, token: str, link: ExternalIdentity):
        super().__init__({"slug": link.provider.slug, "token": token})

    def response(self) -> HttpResponse:
        """Return the redirect to the page that shows the statement."""
        return redirect("signing-there", **self.answer)


class SignatureInput(forms.PasswordInput):
    """The input for all proofs that this person can sign with.

    The proofs are the password, the code of an app, a passkey and a provider.
    """

    asked: demands.Asked | None = None
    seal: Callable[[], str] = staticmethod(str)  # read when the page is written
    token = ""

    def render(self, name, value, attrs=None, renderer=None):
        """Return the HTML of the input, only the password if nothing else is asked for."""
        attrs = dict(attrs or {})
        if self.asked is not None and (self.asked.passkeys or self.asked.by_provider):
            attrs.pop("required", None)
        password = super().render(name, value, attrs, renderer)
        if self.asked is None:
            return password + format_html('<input type="hidden" name="{}" value="{}">', SHOWN, self.seal())
        context = {
            "password": password if self.asked.has_password else "",
            "id": attrs.get("id", name),
            "asked": self.asked,
            "shown": self.seal(),
            "token": self.token,
            "providers": [(link.provider, f"{AT}{link.provider.slug}") for link in self.asked.by_provider],
        }
        return render_to_string("governance/factors/signature_input.html", context)


class SignatureField(PasswordField):
    """The password; not asked for where something else signs."""

    widget = SignatureInput
    by_other = False

    def validate(self, value):
        """Require the password, unless the form finds another proof in its place."""
        if not self.by_other:
            super().validate(value)


class SigningForm(forms.Form):
    """A form that needs a proof of its sender, asked for as its last field each time.

    `purpose` describes what is signed. A wrong proof makes an entry of the audit log with these words. `act` is the
    act's name in the rulebook, if a strength is asked for. `facts` (values, or a function that reads them) is what
    the signature rests on besides the words of the form and the state of the initiative. `shows` reads what else the
    page shows, by the words that name it. If something of it, or of `facts` that are values, changed after the page was
    opened, nothing is signed, and the page shows itself again (`status` 409). The proof is checked after
    everything else, is never part of `cleaned_data`, and is kept beside the act that follows. A form makes the field
    optional for a button that binds nothing.
    """

    act = "act"
    act_compares = False  # True if the act itself compares `seen_marks` under its lock
    password = SignatureField(
        label=gettext_lazy("Your password"),
        help_text=gettext_lazy("Enter your password for each signature."),
        widget=SignatureInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(
        self, *args, request: HttpRequest, purpose: str, act: str = "", facts=None, shows=None, **kwargs
    ):
        super().__init__(*args, **kwargs)
        self.request, self.purpose, self.act = request, purpose, act or self.act
        self.facts, self.shows = facts, shows
        self.conflict = ""
        asked, field = self.asked, self.fields["password"]
        passkey = bool(self.data.get(ASSERTION)) or PREPARE in self.data
        field.by_other = passkey or bool(asked.by_provider) or not asked.has_password or self.signed_there()
        field.widget.seal = self._seal
        if not asked.password_alone:
            field.widget.asked = asked
            field.widget.token = self._token()
        if asked.passkeys or asked.by_provider or not asked.has_password:
            field.label, field.help_text = "Your signature", self._ways()
        if asked.why_not:
            field.help_text = asked.why_not
        self.order_fields([name for name in self.fields if name != "password"])

    @cached_property
    def asked(self) -> demands.Asked:
        """Return the strength that this act asks for, and the proofs this person can give."""
        return demands.asked_of(self.request.user, self.act, *self.tiers())

    def tiers(self) -> list[str]:
        """Return the tier of the initiative that the form is about, or all tiers without one."""
        initiative = row_history.concerned()
        return [initiative.tier] if hasattr(initiative, "tier") else list(Tier)

    def add_prefix(self, field_name):
        """Return the plain name for the password, which the page's script looks for."""
        return field_name if field_name == "password" else super().add_prefix(field_name)

    def _ways(self) -> str:
        """Return the ways in which this person can sign, in words."""
        ways = []
        if self.asked.passkeys:
            empty = ": leave the password empty" if self.asked.has_password else ""
            ways.append(f"Your passkey signs{empty}.")
        if self.asked.by_provider:
            names = " or ".join(link.provider.name for link in self.asked.by_provider)
            begin = "Or sign" if ways else "Sign"
            ways.append(f"{begin} in again at {names}. This page stays open. Plumbline then sends the page.")
        if self.asked.by_password:
            ways.append("Or type your password.")
        return " ".join(ways)

    def signed_there(self) -> bool:
        """Return True if the request names a statement that was signed at a provider."""
        token = self.data.get(TOKEN, "")
        return bool(token) and ceremony.named(token).exclude(identity=None).exists()

    def _token(self) -> str:
        """Return the name of the page's waiting statement, or a new name."""
        sent = self.data.get(TOKEN, "")
        return sent if sent and ceremony.waits(self.request.user, sent) else ceremony.new_token()

    def clean(self):
        """Check everything else first, then what was shown, and then the proof, counted and slowed down."""
        cleaned = super().clean() or self.cleaned_data
        password = cleaned.pop("password", None)
        if not self.errors and self._was_shown_otherwise():
            self.errors.pop("password", None)
            return cleaned
        if rehearsing.unsigned():
            self.errors.pop("password", None)
            return cleaned
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
            why = self.asked.why_not or f"Your identity is not confirmed yet. {self._ways()}"
            self.add_error("password", phrase("{} No statement was signed.", why))
        return cleaned

    def shown_values(self) -> dict:
        """Return what the page shows now, by the words that name it: facts, `shows`, stage and tier."""
        if self.act_compares:
            return self.shows()
        initiative = row_history.concerned()
        names = {"stage": phrase("the stage"), "tier": phrase("the risk tier")}
        state = {
            words: getattr(initiative, name) for name, words in names.items() if hasattr(initiative, name)
        }
        facts = {} if callable(self.facts) else self.facts or {}
        return state | facts | (self.shows() if self.shows is not None else {})

    def _seal(self) -> str:
        """Return the sealed text: the moment, the person, the page and the marks of what the page shows.

        A page that shows itself again for another error keeps the text that was sent, so that no change is missed.
        """
        if self.is_bound and not self.conflict and self.seen_marks is not None:
            return self.data[SHOWN]
        shown = {
            "at": clock.now().isoformat(),
            "page": self.request.path,
            "person": self.request.user.pk,
            "marks": shown_state.marks(self.shown_values()),
        }
        return django_signing.dumps(shown, salt=SALT, compress=True)

    def _shown_before(self) -> dict:
        """Return what the sealed text of the sent page says, empty without one for this page and person."""
        try:
            shown = django_signing.loads(self.data.get(SHOWN, ""), salt=SALT)
        except django_signing.BadSignature:
            return {}
        mine = (shown["page"], shown["person"]) == (self.request.path, self.request.user.pk)
        return shown if mine else {}

    @property
    def seen_marks(self) -> dict[str, str] | None:
        """Return the marks of what the sent page showed, or None without its sealed text."""
        return self._shown_before().get("marks")

    def _was_shown_otherwise(self) -> bool:
        """Refuse if something that the page showed has changed, and name it. Else have the act compare once more."""
        if self.act_compares or (seen := self.seen_marks) is None:
            return False
        names = shown_state.changed(seen, shown_state.marks(self.shown_values()))
        if not names:
            if self.shows is not None:
                shows, marks = self.shows, shown_state.marks(self.shows())
                shown_state.hold(lambda: shown_state.changed(marks, shown_state.marks(shows())))
            return False
        self.say_changed(names)
        if rehearsing.current() is None and PREPARE not in self.data:
            ceremony.record_end(
                self.request.user,
                purpose=self.purpose,
                why=f"Changed after the page was opened: {self.conflict}.",
                address=throttling.address_of(self.request),
            )
        return True

    def say_changed(self, names: list[str]) -> None:
        """Show the form again with the names of what changed after its page was opened."""
        self.conflict = ", ".join(names)
        self.add_error(
            None,
            phrase(
                "Changed after you opened this page: {}. No statement was signed. Read the page again before you "
                "sign.",
                self.conflict,
            ),
        )

    def is_valid(self) -> bool:
        """Return False while an act waits for its confirmation, which shows the page again."""
        return super().is_valid() and not rehearsing.is_withheld()

    def _prepare(self, cleaned: dict) -> None:
        """Freeze the statement for a passkey or the named provider, or add an error.

        Raises Shown, ShownAtProvider.
        """
        field, wanted, now = self.fields.get("password"), self.data[PREPARE], clock.now()
        links = {f"{AT}{link.provider.slug}": link for link in self.asked.by_provider}
        able = wanted in links if wanted.startswith(AT) else self.asked.passkeys
        if self.errors or field is None or not field.required or not able:
            self.add_error(None, "No statement was signed yet.")
            return
        frozen = self._freeze(cleaned, now, token=self.data.get(TOKEN, "") if wanted in links else "")
        if wanted in links:
            raise ShownAtProvider(frozen.token, links[wanted])
        options = passkeys.request_options(list(self.asked.passkeys), bytes(frozen.challenge))
        raise Shown({"get": options, "token": frozen.token, "statement": frozen.statement})

    def _freeze(self, cleaned: dict, shown_at: datetime, token: str):
        """Freeze what is signed, under this token if there is one."""
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
                "password", phrase("{} No statement was signed. Read the new text before you sign.", ended)
            )
        except passkeys.PasskeyRefused as refused:
            self.add_error(
                "password", phrase("The passkey was refused: {}. No statement was signed.", refused)
            )

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
            self.add_error(
                "password", phrase("{} No statement was signed. Send the form again in a minute.", waits)
            )
        except ceremony.CeremonyEnded as ended:
            self.add_error(
                "password", phrase("{} No statement was signed. Read the new text before you sign.", ended)
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
            words = self.asked.why_not or f"The rulebook requires a signature by at least: {least}."
            self.add_error("password", phrase("{} No statement was signed.", words))
            return
        person, address = self.request.user, throttling.address_of(self.request)
        code = self.data.get(CODE, "").strip()
        if self.asked.app is not None and not code:
            self.add_error("password", "Also enter the code that your authenticator app shows now.")
            return
        wrong = reauthentication.why_refused(person, password, purpose=self.purpose, address=address)
        shown_at = self._shown_at()
        if not wrong and self.asked.app is not None:
            wrong = codes.why_refused(person, code, purpose=self.purpose, address=address, since=shown_at)
        if wrong:
            too_many = TOO_MANY if wrong.startswith("Too many") else None
            self.add_error(
                "password", ValidationError(phrase("{} No statement was signed.", wrong), too_many)
            )
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
        """Return the statement, written from the words of this form and current facts."""
        initiative = row_history.concerned()
        facts = self.facts() if callable(self.facts) else self.facts or {}
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
        """Return the signed words of the form by name: all, unless a form overrides this."""
        return cleaned

    def _shown_at(self) -> datetime:
        """Return when the page was shown, from its sealed field, or now without one."""
        now, seen = clock.now(), self._shown_before()
        return min(now, datetime.fromisoformat(seen["at"])) if seen else now

    @property
    def status(self) -> int:
        """Return the HTTP status of the form's page: 429 after many wrong proofs, 409 if it changed, else 200."""
        if self.is_bound and self.has_error("password", TOO_MANY):
            return 429
        return 409 if self.is_bound and self.conflict else 200
