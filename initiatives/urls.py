"""Addresses of the pages of the initiatives, and of the decision API."""

from django.urls import path, re_path

from initiatives.contracts.approvals import views as approval_views
from initiatives.contracts.documents import clause_views
from initiatives.contracts.documents import views as contract_views
from initiatives.contracts.enforcement import (
    access_request_api,
    dry_run_views,
    key_views,
    kill_switch_views,
    logged_decision_views,
)
from initiatives.contracts.enforcement import api as enforcement_api
from initiatives.inbox.absences import views as absence_views
from initiatives.inbox.review_list import views as review_list_views
from initiatives.inbox.tasks import seat_decisions
from initiatives.inbox.tasks import views as inbox_views
from initiatives.integration.components.evaluations import views as evaluation_views
from initiatives.integration.definitions import glossary_views
from initiatives.integration.definitions import views as definition_views
from initiatives.integration.deployments import register_views
from initiatives.integration.deployments import views as deployment_views
from initiatives.integration.links import standalone_views
from initiatives.integration.links import views as link_views
from initiatives.integration.pipelines import api as pipeline_api
from initiatives.integration.pipelines import views as pipeline_views
from initiatives.integration.profiles import views as profile_views
from initiatives.integration.residency import views as residency_views
from initiatives.integration.resilience import drill_views, process_views, trace_views
from initiatives.integration.systems import system_views as system_system_views
from initiatives.integration.systems import views as system_views
from initiatives.interactions import api as interactions_api
from initiatives.interactions import file_import_views
from initiatives.interactions import views as interaction_views
from initiatives.interactions.promises import views as promise_views
from initiatives.lifecycle.consents import views as consent_views
from initiatives.lifecycle.evidence import file_views
from initiatives.lifecycle.evidence import views as evidence_views
from initiatives.lifecycle.evidence.verification import views as verification_views
from initiatives.lifecycle.holds import views as hold_views
from initiatives.lifecycle.initiative.page_steps import initiative_act, plain_act, row_act
from initiatives.lifecycle.initiative_pages import views as initiative_page_views
from initiatives.lifecycle.requirements import crosswalk_views
from initiatives.lifecycle.requirements import views as requirements_views
from initiatives.lifecycle.requirements.several import views as several_views
from initiatives.lifecycle.requirements.waivers import WAIVERS
from initiatives.lifecycle.reviews import decision_views
from initiatives.lifecycle.reviews import views as review_views
from initiatives.lifecycle.reviews.sign_offs import views as sign_off_views
from initiatives.lifecycle.risks import views as risk_views
from initiatives.lifecycle.risks.accepted_risks import ACCEPTED_RISKS
from initiatives.lifecycle.roles import acceptance_views, handover_views
from initiatives.lifecycle.roles import views as role_views
from initiatives.lifecycle.stages import views as stage_views
from initiatives.portfolio.efforts import note_views
from initiatives.portfolio.efforts import views as effort_views
from initiatives.portfolio.found_models import views as found_views
from initiatives.portfolio.ideas import views as idea_views
from initiatives.portfolio.imports.inventories import views as inventory_views
from initiatives.portfolio.imports.portfolio import bulk_views
from initiatives.portfolio.imports.portfolio import views as portfolio_import_views
from initiatives.portfolio.imports.removal import views as import_removal_views
from initiatives.portfolio.imports.systems import views as system_import_views
from initiatives.portfolio.initiative_list import views as portfolio_views
from initiatives.portfolio.insights import list_views
from initiatives.portfolio.insights import views as insight_views
from initiatives.portfolio.provisioning import api as scim
from initiatives.portfolio.provisioning import views as directory_views
from initiatives.portfolio.registration import mvp_start
from initiatives.portfolio.registration import views as registration_views
from initiatives.portfolio.rulebook_changes import draft_views, forecast_views
from initiatives.portfolio.rulebook_changes import views as rulebook_changes_views
from initiatives.portfolio.search import search_views
from initiatives.portfolio.units import seat_views
from initiatives.portfolio.units import views as unit_views

for kind in (WAIVERS, ACCEPTED_RISKS):
    consent_views.declare_answers(kind)

# All pages of these modules are page steps: to import a module is what adds its pages.
PAGE_STEPS = (evaluation_views, kill_switch_views, promise_views, risk_views, stage_views, standalone_views)

# To import these modules is what declares their page steps.
STEPS = (import_removal_views,)

urlpatterns = [
    path("access/v1/evaluation", enforcement_api.evaluation, name="access-evaluation"),
    path("access/v1/evaluations", enforcement_api.evaluations, name="access-evaluations"),
    path(
        "access/v1/search/subject", enforcement_api.search, {"part": "subject"}, name="access-search-subject"
    ),
    path(
        "access/v1/search/resource",
        enforcement_api.search,
        {"part": "resource"},
        name="access-search-resource",
    ),
    path("access/v1/search/action", enforcement_api.search, {"part": "action"}, name="access-search-action"),
    path("access/v1/requests", access_request_api.requests, name="access-requests"),
    path("access/v1/requests/<uuid:reference>", access_request_api.task, name="access-request"),
    path("access/v1/outcomes", enforcement_api.outcomes, name="access-outcomes"),
    path("access/v1/interactions", interactions_api.reported, name="access-interactions"),
    path("scim/v2/Users", scim.users, name="scim-users"),
    path("scim/v2/Users/.search", scim.users_search, name="scim-users-search"),
    path("scim/v2/Users/<uuid:uid>", scim.user, name="scim-user"),
    path("scim/v2/Groups", scim.groups, name="scim-groups"),
    path("scim/v2/Groups/.search", scim.groups_search, name="scim-groups-search"),
    path("scim/v2/Groups/<uuid:uid>", scim.group, name="scim-group"),
    path("scim/v2/ServiceProviderConfig", scim.service_provider_config, name="scim-config"),
    path("scim/v2/ResourceTypes", scim.resource_types, name="scim-resource-types"),
    path("scim/v2/ResourceTypes/<str:name>", scim.resource_types, name="scim-resource-type"),
    path("scim/v2/Schemas", scim.schemas, name="scim-schemas"),
    path("scim/v2/Schemas/<str:name>", scim.schemas, name="scim-schema"),
    path("scim/v2/.search", scim.search_all, name="scim-search"),
    path("scim/v2/Me", scim.me, name="scim-me"),
    re_path(r"^scim/", scim.nothing, name="scim-nothing"),
    path("otlp/v1/traces", interactions_api.traces, name="otlp-traces"),
    path("otlp/v1/logs", interactions_api.logs, name="otlp-logs"),
    re_path(r"^otlp/", interactions_api.nothing, name="otlp-nothing"),
    path("evidence/v1/results", pipeline_api.results, name="evidence-results"),
    re_path(r"^evidence/v1/", pipeline_api.nothing, name="evidence-nothing"),
    path("access/v1/attestations/<str:decision>", enforcement_api.attestation, name="access-attestation"),
    path("access/v1/signing-key.pem", enforcement_api.signing_key, name="access-signing-key"),
    re_path(r"^access/v1/", enforcement_api.nothing, name="access-nothing"),
    path("access/client.py", key_views.client_file, name="access-client"),
    path("access/fault_proxy.py", drill_views.kit, name="fault-kit"),
    path(".well-known/authzen-configuration", enforcement_api.configuration, name="access-configuration"),
    path("", inbox_views.inbox, name="inbox"),
    path("snooze/", inbox_views.snooze, name="snooze"),
    path("next/", inbox_views.next_task, name="next-task"),
    path("search/", search_views.search, name="search"),
    path("do/<slug:verb>/", plain_act, name="plain-act"),
    path("rows/<slug:rows>/<int:pk>/<slug:verb>/", row_act, name="row-act"),
    path("initiatives/<str:ref>/do/<slug:verb>/", initiative_act, name="initiative-act"),
    path("initiatives/", portfolio_views.portfolio, name="portfolio"),
    path("initiatives/export.csv", portfolio_views.export, {"ending": "csv"}, name="portfolio-export"),
    path("initiatives/export.xlsx", portfolio_views.export, {"ending": "xlsx"}, name="portfolio-workbook"),
    path("initiatives/register/", registration_views.register, name="register"),
    path("initiatives/views/save/", portfolio_views.save_view, name="view-save"),
    path("initiatives/views/<int:pk>/delete/", portfolio_views.delete_view, name="view-delete"),
    path("initiatives/similar/", registration_views.similar, name="similar"),
    path("found-models/", found_views.listing, name="found-models"),
    path("found-models/<int:pk>/", found_views.found_model, name="found-model"),
    path("rulebook-drafts/", draft_views.drafts, name="rulebook-drafts"),
    path("rulebook-drafts/<int:pk>/", draft_views.draft, name="rulebook-draft"),
    path("rulebook-drafts/<int:pk>/text/", draft_views.text, name="rulebook-draft-text"),
    path("rulebook-drafts/<int:pk>/load/", draft_views.load, name="rulebook-draft-load"),
    path("rulebook-drafts/<int:pk>/drop/", draft_views.drop, name="rulebook-draft-drop"),
    path("rulebook-drafts/<int:pk>/effects/", forecast_views.of_draft, name="rulebook-draft-effects"),
    path("rulebook-effects/<int:pk>/", forecast_views.forecast, name="rulebook-forecast"),
    path("rulebook-effects/<int:pk>/progress/", forecast_views.progress, name="rulebook-forecast-progress"),
    path("rulebook/<str:version>/effects/", forecast_views.of_version, name="rulebook-effects"),
    path("rulebook/<str:version>/changes/", rulebook_changes_views.changes, name="rulebook-changes"),
    path("rulebook/<str:version>/publish/", rulebook_changes_views.publish, name="rulebook-publish"),
    path("initiatives/<str:ref>/", initiative_page_views.initiative, name="initiative"),
    path("initiatives/<str:ref>/stub/", search_views.stub, name="initiative-stub"),
    path("initiatives/<str:ref>/activity/", initiative_page_views.activity, name="initiative-activity"),
    path("initiatives/<str:ref>/requirements/", requirements_views.all_requirements, name="requirements"),
    path("initiatives/<str:ref>/requirements/several/", several_views.several, name="requirements-several"),
    path("initiatives/<str:ref>/requirements/<str:key>/", requirements_views.row, name="requirement"),
    path(
        "initiatives/<str:ref>/requirements/<str:key>/draft/",
        requirements_views.draft,
        name="requirement-draft",
    ),
    path(
        "initiatives/<str:ref>/requirements/<str:key>/accept/",
        requirements_views.accept,
        name="requirement-accept",
    ),
    path("initiatives/<str:ref>/declaration/", requirements_views.declaration, name="declaration"),
    path("initiatives/<str:ref>/evidence/", evidence_views.evidence_list, name="evidence"),
    path("initiatives/<str:ref>/evidence/add/", evidence_views.add, name="evidence-add"),
    path("initiatives/<str:ref>/evidence/<int:pk>/", evidence_views.item, name="evidence-item"),
    path("initiatives/<str:ref>/evidence/<int:pk>/file/", file_views.download, name="evidence-file"),
    path("initiatives/<str:ref>/evidence/<int:pk>/look/", file_views.look, name="evidence-look"),
    path(
        "initiatives/<str:ref>/evidence/<int:pk>/look/content/", file_views.content, name="evidence-content"
    ),
    path("initiatives/<str:ref>/evidence/verify/", verification_views.begin, name="evidence-verify-first"),
    path(
        "initiatives/<str:ref>/evidence/<int:pk>/verify/<str:key>/",
        verification_views.verify,
        name="evidence-verify",
    ),
    path("initiatives/<str:ref>/contract/", contract_views.contract, name="contract"),
    path("initiatives/<str:ref>/contract/edit/", clause_views.edit, name="contract-edit"),
    path("initiatives/<str:ref>/contract/edit/<str:number>/", clause_views.clause_edit, name="clause-edit"),
    path("initiatives/<str:ref>/contract/start/<str:starter>/", clause_views.start, name="contract-start"),
    path("initiatives/<str:ref>/contract/clauses/<int:number>/", clause_views.clause, name="clause"),
    path("initiatives/<str:ref>/contract/changes/", contract_views.changes, name="contract-changes"),
    path("initiatives/<str:ref>/start-mvp/", mvp_start.start, name="mvp-start"),
    path("initiatives/<str:ref>/decide/", seat_decisions.decide, name="seat-decisions"),
    path("initiatives/<str:ref>/contract/approve/", contract_views.approve, name="contract-approve"),
    path("initiatives/<str:ref>/approvals/", approval_views.approvals, name="approvals"),
    path("approvals/<uuid:reference>/", approval_views.approval, name="approval"),
    path(
        "initiatives/<str:ref>/integration/residency/",
        residency_views.of_initiative,
        name="integration-residency",
    ),
    path("vendors/", residency_views.vendors, name="vendors"),
    path("vendors/<int:pk>/", residency_views.vendor, name="vendor"),
    path("vendors/<int:pk>/move/", residency_views.vendor_move, name="vendor-move"),
    path("policies/", residency_views.policies, name="unit-policies"),
    path("regions/", residency_views.region_list, name="regions"),
    path("initiatives/<str:ref>/people/", role_views.people, name="people"),
    path("roles/", acceptance_views.waiting, name="roles-to-accept"),
    path("away/", absence_views.away, name="away"),
    path("people/<int:pk>/handover/", handover_views.propose, name="handover"),
    path("handovers/", handover_views.offered, name="handovers"),
    path("initiatives/<str:ref>/deployments/", deployment_views.deployments, name="deployments"),
    path("initiatives/<str:ref>/contract/dry-run/", dry_run_views.dry_run, name="contract-dry-run"),
    path("initiatives/<str:ref>/api-access/", key_views.api_access, name="api-access"),
    path("initiatives/<str:ref>/pipelines/", pipeline_views.pipelines, name="pipelines"),
    path("initiatives/<str:ref>/api-access/try/", key_views.try_it, name="api-access-try"),
    path("components/", register_views.components, name="components"),
    path("components/<int:pk>/", register_views.component, name="component"),
    path("systems/", system_system_views.systems, name="systems"),
    path("systems/<int:pk>/", system_system_views.system, name="system"),
    path("initiatives/<str:ref>/integration/", system_views.integration, name="integration"),
    path("initiatives/<str:ref>/integration/link/", system_views.add, name="link-add"),
    path("links/<int:pk>/", link_views.answer, name="link-answer"),
    path("initiatives/<str:ref>/decisions/", logged_decision_views.decisions, name="told"),
    path("initiatives/<str:ref>/decisions/<str:moment>/", logged_decision_views.decision, name="told-one"),
    path("initiatives/<str:ref>/interactions/", interaction_views.interactions, name="interactions"),
    path(
        "initiatives/<str:ref>/interactions/file/", file_import_views.import_file, name="interactions-import"
    ),
    path(
        "initiatives/<str:ref>/interactions/<str:reported>/",
        interaction_views.interaction,
        name="interaction",
    ),
    path(
        "initiatives/<str:ref>/interactions/<str:reported>/file.json",
        interaction_views.handed_out,
        name="interaction-file",
    ),
    path("initiatives/<str:ref>/integration/profiles/", profile_views.profiles, name="integration-profiles"),
    path("profiles/<int:pk>/", profile_views.profile, name="integration-profile"),
    path(
        "initiatives/<str:ref>/integration/definitions/",
        definition_views.definitions,
        name="integration-definitions",
    ),
    path("glossary/", glossary_views.glossary, name="glossary"),
    path("glossary/<int:pk>/", glossary_views.term, name="glossary-term"),
    path("initiatives/<str:ref>/integration/drills/", drill_views.drills, name="integration-drills"),
    path(
        "initiatives/<str:ref>/integration/processes/", process_views.processes, name="integration-processes"
    ),
    path("initiatives/<str:ref>/integration/traces/", trace_views.traces, name="integration-traces"),
    path("initiatives/<str:ref>/integration/traces/add/", trace_views.add, name="trace-add"),
    path("traces/<int:pk>/", trace_views.sample, name="trace-sample"),
    path("initiatives/<str:ref>/notes/", note_views.notes, name="notes"),
    path("feeds/<int:pk>/", link_views.shut, name="feed-shut"),
    path("obligations/<int:pk>/excuse/", hold_views.excuse, name="obligation-excuse"),
    path("ideas/", idea_views.ideas, name="ideas"),
    path("initiatives/<str:ref>/integration/effort/", effort_views.effort, name="integration-effort"),
    path("initiatives/<str:ref>/integration/effort/import/", effort_views.bring_in, name="effort-import"),
    path("insights/effort/", list_views.lines, name="efforts"),
    path("insights/", insight_views.now, name="insights"),
    path("insights/flow/", insight_views.flow, name="insights-flow"),
    path("insights/money/", insight_views.money, name="insights-money"),
    path("insights/people/", insight_views.people, name="insights-people"),
    path("insights/figures/<slug:figure>/", insight_views.rows, name="insights-figure"),
    path("decisions/", list_views.decisions, name="decisions"),
    path("reviews/", review_list_views.reviews, name="reviews"),
    path("initiatives/<str:ref>/review/", review_views.open_review, name="review-open"),
    path("reviews/<int:pk>/", review_views.review, name="review"),
    path("reviews/<int:pk>/decide/", decision_views.decide, name="review-decide"),
    path("reviews/<int:pk>/sign/<str:seat>/", sign_off_views.sign, name="sign"),
    path("sign-offs/<int:pk>/", sign_off_views.statement, name="sign-off"),
    path("initiatives/<str:ref>/waivers/", consent_views.requests, {"kind": WAIVERS}, name="waivers"),
    path(
        "initiatives/<str:ref>/accepted-risks/",
        consent_views.requests,
        {"kind": ACCEPTED_RISKS},
        name="accepted-risks",
    ),
    path("audit/frameworks/", crosswalk_views.frameworks, name="crosswalk"),
    path("organisation/units/", unit_views.units, name="units"),
    path("organisation/units/from-table/", unit_views.from_table, name="units-from-table"),
    path("organisation/units/<int:pk>/move/", unit_views.move, name="unit-move"),
    path("organisation/units/<int:pk>/merge/", unit_views.merge, name="unit-merge"),
    path("organisation/directories/", directory_views.directories, name="directories"),
    path(
        "organisation/directories/accounts/<int:pk>/unit/<int:unit>/",
        directory_views.accept,
        name="directory-accept",
    ),
    path("organisation/boards/", seat_views.boards, name="boards"),
    path("organisation/boards/<int:pk>/take-over/", seat_views.take_over, name="board-take-over"),
    path("organisation/boards/<int:pk>/seat/", seat_views.grant, name="seat-grant"),
    path("files/gone/", file_views.files_gone, name="files-gone"),
    path("systems/import/", system_import_views.from_table, name="systems-from-table"),
    path("imports/", inventory_views.imports, name="imports"),
    path("imports/several/", bulk_views.several, name="imports-several"),
    path("imports/<int:pk>/changes/", portfolio_import_views.take_all, name="import-changes"),
    path("imports/<int:pk>/", inventory_views.batch, name="import"),
    path("imports/<int:pk>/confirm/", inventory_views.confirm, name="import-confirm"),
    path("imports/rows/<int:pk>/decide/", inventory_views.decide_row, name="import-row"),
]
