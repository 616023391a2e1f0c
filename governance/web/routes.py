"""Addresses of the pages of governance."""

from django.urls import path

from governance.audit import audit_log_views, rights_views, sample_views
from governance.audit import views as audit_views
from governance.identity import link_views, sign_in_views
from governance.identity import views as identity_views
from governance.identity.factors import admin_views as factor_admin_views
from governance.identity.factors import views as factor_views
from governance.identity.proofs import provider_views
from governance.notifications import views as notification_views
from governance.organisation import new_seat_views
from governance.organisation import views as organisation_views
from governance.privacy import views as privacy_views
from governance.sign_in import account_views
from governance.web.pages import entry_views, health_views, preference_views, rulebook_views, status_views

urlpatterns = [
    path("healthz", health_views.healthz, name="healthz"),
    path("readyz", health_views.readyz, name="readyz"),
    path("sign-in/", entry_views.sign_in, name="sign-in"),
    path("sign-in/factor/", factor_views.factor, name="sign-in-factor"),
    path("sign-out/", entry_views.sign_out, name="sign-out"),
    path("sign-in/begin/", sign_in_views.begun_there, name="provider-begun"),
    path("sign-in/with/<slug:slug>/", sign_in_views.start, name="provider-start"),
    path("sign-in/with/<slug:slug>/answer/", sign_in_views.answer, name="provider-answer"),
    path("sign-in/with/<slug:slug>/sign-out/", sign_in_views.sign_out_there, name="provider-sign-out"),
    path("sign-in/with/<slug:slug>/signed-out/", sign_in_views.signed_out_there, name="provider-signed-out"),
    path("sign-in/with/<slug:slug>/keys.json", sign_in_views.our_keys, name="provider-our-keys"),
    path("sign-in/with/<slug:slug>/signing/<str:token>/", provider_views.statement, name="signing-there"),
    path("sign-in/with/<slug:slug>/signing/<str:token>/go/", provider_views.go, name="signing-go"),
    path("sign-in/with/<slug:slug>/confirm/", provider_views.confirm, name="confirm-there"),
    path("identity/", identity_views.overview, name="identity"),
    path("identity/add/", identity_views.add, name="identity-add"),
    path("identity/local-accounts/", identity_views.local_accounts, name="identity-local-accounts"),
    path("identity/break-glass/", identity_views.mark_break_glass, name="identity-break-glass"),
    path(
        "identity/break-glass/<int:pk>/revoke/",
        identity_views.revoke_break_glass,
        name="identity-break-glass-revoke",
    ),
    path("identity/pairs/", identity_views.mark_pair, name="identity-pair"),
    path("identity/pairs/<int:pk>/clear/", identity_views.clear_pair, name="identity-pair-clear"),
    path("identity/links/<int:pk>/revoke/", identity_views.revoke_link, name="identity-link-revoke"),
    path("identity/providers/<slug:slug>/", identity_views.provider, name="identity-provider"),
    path("identity/providers/<slug:slug>/edit/", identity_views.edit, name="identity-edit"),
    path("identity/providers/<slug:slug>/switch/", identity_views.switch, name="identity-switch"),
    path("identity/providers/<slug:slug>/key/", identity_views.renew_key, name="identity-key"),
    path("identity/providers/<slug:slug>/link/", identity_views.link_for, name="identity-link-for"),
    path("account/link/<slug:slug>/", link_views.link, name="account-link"),
    path("account/links/<int:pk>/revoke/", link_views.revoke, name="account-link-revoke"),
    path("account/", account_views.account, name="account"),
    path("account/sign-out/", account_views.sign_out_elsewhere, name="account-sign-out"),
    path("account/password/", account_views.change_password, name="account-password"),
    path("account/security/", factor_views.security, name="account-security"),
    path("account/security/passkeys/add/", factor_views.add_passkey, name="passkey-add"),
    path("account/security/passkeys/<int:pk>/revoke/", factor_views.revoke_passkey, name="passkey-revoke"),
    path("account/security/app/add/", factor_views.add_app, name="app-add"),
    path("account/security/app/revoke/", factor_views.revoke_app, name="app-revoke"),
    path("account/security/codes/", factor_views.make_codes, name="recovery-codes"),
    path("account/security/resets/<int:pk>/stop/", factor_views.stop_reset, name="own-reset-stop"),
    path("password/", account_views.set_password, name="password-set"),
    path("password/forgotten/", account_views.reset, name="password-reset"),
    path("password/link/<str:token>/", account_views.password_link, name="password-link"),
    path("first-admin/<str:token>/", account_views.make_first_admin, name="first-admin"),
    path("seats/<int:pk>/confirm/", new_seat_views.confirm, name="seat-confirm"),
    path("accounts/", organisation_views.listing, name="accounts"),
    path("accounts/add/", organisation_views.add, name="accounts-add"),
    path("accounts/<int:pk>/invite/", organisation_views.invite, name="account-invite"),
    path("accounts/<int:pk>/sign-out/", organisation_views.sign_out, name="account-end-sessions"),
    path("accounts/<int:pk>/factors/", factor_admin_views.factors, name="account-factors"),
    path("accounts/<int:pk>/factors/reset/", factor_admin_views.ask_reset, name="factor-reset-ask"),
    path("accounts/passkeys/<int:pk>/confirm/", factor_admin_views.confirm, name="passkey-confirm"),
    path("accounts/resets/<int:pk>/stop/", factor_admin_views.stop_reset, name="factor-reset-stop"),
    path("status/", status_views.status_page, name="status"),
    path("status/mail/", status_views.mail, name="status-mail"),
    path("styleguide/", entry_views.styleguide, name="styleguide"),
    path("help/", entry_views.help_page, name="help"),
    path("help/glossary/", entry_views.glossary_page, name="words"),
    path("settings/", preference_views.settings_page, name="settings"),
    path("settings/calendar/", preference_views.make_calendar, name="calendar-make"),
    path("settings/calendar/revoke/", preference_views.revoke_calendar_address, name="calendar-revoke"),
    path("calendar/<str:secret>.ics", preference_views.calendar_feed, name="calendar"),
    path("digest/leave/<str:token>/", preference_views.leave_digest, name="digest-leave"),
    path("notifications/", notification_views.notifications, name="notifications"),
    path("notifications/<int:pk>/", notification_views.open_notification, name="notification"),
    path("notifications/read/", notification_views.mark_read, name="notifications-read"),
    path("rulebook/", rulebook_views.current_rulebook, name="rulebook"),
    path("rulebook/versions/", rulebook_views.versions, name="rulebook-versions"),
    path("rulebook/load/", rulebook_views.load, name="rulebook-load"),
    path("rulebook/<str:version>/", rulebook_views.version, name="rulebook-version"),
    path("rulebook/<str:version>/propose/", rulebook_views.propose, name="rulebook-propose"),
    path("audit-log/", audit_log_views.audit_log_page, name="audit-log"),
    path("audit-log/checkpoint/", audit_log_views.checkpoint, name="audit-log-checkpoint"),
    path("audit-log/verify.py", audit_log_views.verifier, name="audit-log-verifier"),
    path("audit-log/receipts/<int:pk>/", audit_log_views.receipt, name="audit-log-receipt"),
    path(
        "audit-log/receipts/<int:pk>/receipt.json",
        audit_log_views.receipt_file,
        name="audit-log-receipt-file",
    ),
    path("audit/", audit_views.entry_list, name="audit"),
    path("audit/entries/<int:pk>/", audit_views.entry, name="audit-entry"),
    path("audit/readings/", audit_views.entry_list, {"name": "readings"}, name="audit-readings"),
    path("audit/sign-ins/", audit_views.entry_list, {"name": "sign-ins"}, name="audit-sign-ins"),
    path("audit/rights/", rights_views.held, name="audit-rights"),
    path("audit/retention/", privacy_views.retention_page, name="retention"),
    path("audit/samples/", sample_views.listing, name="audit-samples"),
    path("audit/samples/draw/", sample_views.draw, name="audit-draw"),
    path("audit/samples/<int:pk>/", sample_views.sample, name="audit-sample"),
    path("audit/samples/<int:pk>/entries/<int:place>/", sample_views.drawn, name="audit-drawn"),
    path("audit/samples/<int:pk>/finish/", sample_views.finish, name="audit-finish"),
]
