"""What `make mutants` takes away of factors and signatures; rows as in `mutants_table`."""

PASSKEYS = "tests/app/governance/identity/test_passkeys.py"
FACTORS = "tests/app/governance/identity/test_factors.py"
SIGNING = "tests/app/initiatives/cases/test_signing_by_passkey.py"
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
        "governance.identity.proofs.ceremony:by_passkey",
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
        "governance.offline.verify:p256_verify",
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
]
