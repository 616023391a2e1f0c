"""What `make mutants` takes away of factors and signatures; rows as in `mutants_table`."""

PASSKEYS = "tests/app/governance/identity/test_passkeys.py"
FACTORS = "tests/app/governance/identity/test_factors.py"
SIGNING = "tests/app/initiatives/cases/test_signing_by_passkey.py"
REFUSED = "tests/app/governance/identity/test_refused_provider_proofs.py"
AT_PROVIDER = "tests/app/governance/identity/test_signing_by_provider.py"
KEPT = "tests/app/governance/identity/test_provider_proofs_kept.py"
TOKENS = "tests/unit/governance/transparency_log/test_id_tokens_offline.py"
OFFLINE = "tests/unit/governance/transparency_log/test_signatures_offline.py"

MUTANTS = [
    (
        "an authenticator verifies who is there",
        "governance.identity.factors.passkeys:_check",
        "require_user_verification=True,",
        "require_user_verification=False,",
        f"{PASSKEYS} -k nobody",
    ),
    (
        "a passkey is its person's",
        "governance.identity.factors.passkeys:_check",
        "person=person)",
        ")",
        f"{PASSKEYS} -k somebody_else",
    ),
    (
        "a passkey is sealed before it opens",
        "governance.identity.factors.passkeys:_check",
        "if row.pk not in sealed_keys([row]):",
        "if False:",
        f"{PASSKEYS} -k sealed_it",
    ),
    (
        "a new passkey waits a day",
        "governance.identity.factors.passkeys:_check",
        "if signing and not row.may_sign_at(clock.now()):",
        "if False:",
        f"{PASSKEYS} -k after_a_day",
    ),
    (
        "a counter that goes back is refused",
        "governance.identity.factors.passkeys:_check",
        "credential_current_sign_count=use.counter,",
        "credential_current_sign_count=0,",
        f"{PASSKEYS} -k once",
    ),
    (
        "an ended passkey opens nothing",
        "governance.identity.factors.passkeys:_check",
        "if row.ended_at is not None:",
        "if False:",
        f"{PASSKEYS} -k ended_one",
    ),
    (
        "a code is used once",
        "governance.identity.factors.codes:_why_wrong",
        "if step <= use.counter:",
        "if False:",
        f"{FACTORS} -k good_once",
    ),
    (
        "a code is not older than the statement",
        "governance.identity.factors.codes:_why_wrong",
        "if since is not None and (step + 1) * PERIOD <= since.timestamp():",
        "if False:",
        f"{FACTORS} -k older_than",
    ),
    (
        "a recovery code is used once",
        "governance.identity.factors.recovery_codes:why_refused",
        "row.used_at = clock.now()",
        "pass",
        f"{FACTORS} -k shown_once",
    ),
    (
        "whoever has a factor shows it",
        "governance.identity.factors.second_step:begin",
        "if not factors_of(person):",
        "if True:",
        f"{FACTORS} -k between_the_steps",
    ),
    (
        "a reset waits its day",
        "governance.identity.factors.resets:settle",
        "due_at__lte=clock.now()",
        "asked_at__lte=clock.now()",
        f"{FACTORS} -k waits_a_day",
    ),
    (
        "what changed since it was shown is not signed",
        "governance.identity.proofs.ceremony:_same_again",
        "if now != frozen.statement:",
        "if False:",
        f"{SIGNING} -k changed",
    ),
    (
        "a statement is signed once and in time",
        "governance.identity.proofs.ceremony:thaw",
        "used_at=None, expires_at__gt=now",
        "pk__gt=0",
        f"{SIGNING} -k five_minutes",
    ),
    (
        "the strength that the rulebook asks",
        "governance.sign_in.signing:SigningForm._by_password",
        "if not self.asked.by_password:",
        "if False:",
        f"{SIGNING} -k strength",
    ),
    (
        "offline: a point lies on the curve",
        "governance.offline.verify:p256_verify_pair",
        "or (y * y - (x * x * x - 3 * x + P256_B)) % P256",
        "",
        f"{OFFLINE} -k off_the_curve",
    ),
    (
        "offline: the challenge is made of the statement",
        "governance.offline.verify:check_signature",
        'raise Rejected("The passkey signed something else than this statement.")',
        "pass",
        f"{OFFLINE} -k did_not_sign",
    ),
    (
        "offline: a passkey is enrolled before it signs",
        "governance.offline.verify:Signatures._proof",
        'raise Rejected("The passkey of this signature was enrolled after the fact, or never.")',
        "pass",
        f"{OFFLINE} -k enrolled_before",
    ),
    (
        "a token is of the signer's own account",
        "governance.identity.proofs.provider_tokens:own_link",
        ".filter(provider=token.provider, key=token.key).first()",
        ".filter(provider=token.provider).first()",
        f"{REFUSED} -k account",
    ),
    (
        "a token is asked with a sign-in of now",
        "governance.identity.proofs.provider_views:_there",
        "max_age=0",
        "max_age=None",
        f"{AT_PROVIDER} -k older_than",
    ),
    (
        "a token answers one statement",
        "governance.identity.proofs.provider_views:go",
        "nonce=bytes_to_base64url(bytes(frozen.challenge))",
        'nonce=""',
        f"{AT_PROVIDER} -k exactly",
    ),
    (
        "a provider signs while it is on and linked",
        "governance.identity.proofs.ceremony:by_provider",
        "raise CeremonyEnded(why)",
        "pass",
        f"{REFUSED} -k meanwhile",
    ),
    (
        "a token is as strong as the rulebook asks",
        "governance.identity.proofs.ceremony:by_provider",
        "if Strength.PROVIDER.rank < least.rank:",
        "if False:",
        f"{REFUSED} -k rulebook",
    ),
    (
        "a link of one's own signs after a day",
        "governance.identity.proofs.provider_tokens:links_of",
        ".filter(Q(linked_by=None) | Q(linked_at__lte=now - passkeys.WAITS))",
        "",
        f"{REFUSED} -k after_a_day",
    ),
    (
        "the key of a provider is sealed before a token of it counts",
        "governance.identity.proofs.ceremony:by_provider",
        "provider_tokens.check_sealed(person, token)",
        "pass",
        f"{AT_PROVIDER} -k exactly",
    ),
    (
        "a fresh sign-in opens nothing for who has a password",
        "governance.identity.factors.forms:FreshForm.__init__",
        "not request.user.has_usable_password()",
        "True",
        f"{KEPT} -k five_minutes",
    ),
    (
        "offline: a token was made for the statement",
        "governance.offline.verify:check_id_token",
        'raise Rejected("The ID token was made for something else than this statement.")',
        "pass",
        f"{TOKENS} -k provider",
    ),
    (
        "offline: whoever signed did so after the statement was shown",
        "governance.offline.verify:check_id_token",
        'raise Rejected("The sign-in at the provider is older than the statement.")',
        "pass",
        f"{TOKENS} -k provider",
    ),
    (
        "offline: the key of a provider is recorded before it signs",
        "governance.offline.verify:Signatures._signed_at_provider",
        'raise Rejected("The key of the provider is untrusted: it was recorded after the fact, or never.")',
        "pass",
        f"{TOKENS} -k provider",
    ),
]
