"""Where the pages of the ground floor are found."""

from django.urls import path

from governance.views import audit, health, keeping, notices, people, record, rights, rulebook, samples

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("sign-in/", people.sign_in, name="sign-in"),
    path("sign-out/", people.sign_out, name="sign-out"),
    path("styleguide/", people.styleguide, name="styleguide"),
    path("help/", people.help_page, name="help"),
    path("notices/", notices.notices, name="notices"),
    path("notices/<int:pk>/", notices.open_notice, name="notice"),
    path("notices/read/", notices.mark_read, name="notices-read"),
    path("rulebook/", rulebook.current_rulebook, name="rulebook"),
    path("rulebook/versions/", rulebook.versions, name="rulebook-versions"),
    path("rulebook/load/", rulebook.load, name="rulebook-load"),
    path("rulebook/<str:version>/", rulebook.version, name="rulebook-version"),
    path("rulebook/<str:version>/propose/", rulebook.propose, name="rulebook-propose"),
    path("record/", record.record_page, name="record"),
    path("record/checkpoint/", record.checkpoint, name="record-checkpoint"),
    path("record/verify.py", record.verifier, name="record-verifier"),
    path("record/receipts/<int:pk>/", record.receipt, name="record-receipt"),
    path("record/receipts/<int:pk>/receipt.json", record.receipt_file, name="record-receipt-file"),
    path("audit/", audit.entries, name="audit"),
    path("audit/entries.csv", audit.export, name="audit-entries-export"),
    path("audit/entries/<int:pk>/", audit.entry, name="audit-entry"),
    path("audit/readings/", audit.entries, {"name": "readings"}, name="audit-readings"),
    path("audit/readings.csv", audit.export, {"name": "readings"}, name="audit-readings-export"),
    path("audit/sign-ins/", audit.entries, {"name": "sign-ins"}, name="audit-sign-ins"),
    path("audit/sign-ins.csv", audit.export, {"name": "sign-ins"}, name="audit-sign-ins-export"),
    path("audit/rights/", rights.held, name="audit-rights"),
    path("audit/rights.csv", rights.export, name="audit-rights-export"),
    path("audit/keeping/", keeping.keeping, name="keeping"),
    path("audit/samples/", samples.listing, name="audit-samples"),
    path("audit/samples/draw/", samples.draw, name="audit-draw"),
    path("audit/samples/<int:pk>/", samples.sample, name="audit-sample"),
    path("audit/samples/<int:pk>/entries/<int:place>/", samples.drawn, name="audit-drawn"),
    path("audit/samples/<int:pk>/finish/", samples.finish, name="audit-finish"),
    path("audit/samples/<int:pk>/export.csv", samples.export, {"ending": "csv"}, name="audit-sample-csv"),
    path("audit/samples/<int:pk>/export.json", samples.export, {"ending": "json"}, name="audit-sample-json"),
]
