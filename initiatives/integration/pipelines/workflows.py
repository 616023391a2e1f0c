"""The workflow that files a result, ready to paste, for one pipeline, initiative and requirement. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from governance.vocabulary import EvidenceKind, PipelinePlatform, ReportFormat

# By the kind of evidence that a requirement takes: the format, the file and its type, the first that fits.
FORMATS = (
    (EvidenceKind.TEST_REPORT, ReportFormat.JUNIT, "junit.xml", "application/xml"),
    (EvidenceKind.DRILL_RECORD, ReportFormat.DRILL, "drill.json", "application/json"),
    (EvidenceKind.DOCUMENT, ReportFormat.CYCLONEDX, "sbom.json", "application/json"),
)


@dataclass(frozen=True)
class Target:
    """The result that a workflow files: address of Plumbline, initiative, requirement, format, file and type."""

    address: str
    ref: str
    requirement: str
    form: str
    file: str
    content_type: str

    @property
    def url(self) -> str:
        """Return the address that takes the result."""
        fields = {"initiative": self.ref, "requirement": self.requirement, "format": self.form}
        return f"{self.address}/evidence/v1/results?{urlencode(fields)}"


def format_for(kinds: tuple[str, ...]) -> tuple[str, str, str] | None:
    """Return format, file and type for a requirement that takes these kinds, or None if no pipeline can serve it."""
    return next(((form, file, kind) for evidence, form, file, kind in FORMATS if evidence in kinds), None)


def curl(target: Target, token: str, indent: str, more: str = "") -> str:
    """Return the command that sends the file with a token. A refusal fails the job, and shows its sentence."""
    lines = (
        "curl --fail-with-body --silent --show-error \\",
        f'  --header "Authorization: Bearer {token}" \\',
        f'  --header "Content-Type: {target.content_type}" \\',
        f"  --data-binary @{target.file} \\",
        f'  "{target.url}{more}"',
    )
    return "\n".join(indent + line for line in lines)


def workflow_of(platform: str, bound: Mapping[str, str], target: Target) -> tuple[str, str]:
    """Return the name of the file and its text, for a pipeline with this binding."""
    return MAKERS[platform](bound, target)


def _github(bound: Mapping[str, str], target: Target) -> tuple[str, str]:
    branches = f"\n    branches: [{bound['branch']}]" if bound.get("branch") else ""
    environment = f"\n    environment: {bound['environment']}" if bound.get("environment") else ""
    runs_on = "self-hosted" if bound.get("own_runners") else "ubuntu-latest"
    return (
        bound["workflow"],
        f"""name: Evidence for {target.ref}
on:
  push:{branches}
  workflow_dispatch:
permissions:
  contents: read
  id-token: write
jobs:
  evidence:
    runs-on: {runs_on}{environment}
    steps:
      - uses: actions/checkout@v4
      - name: Run your tests
        run: echo "Replace this line with the command of your tests, which writes {target.file}."
      - name: File the result in Plumbline
        if: success() || failure()
        run: |
          TOKEN=$(curl --silent --show-error --header "Authorization: bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" \\
            "$ACTIONS_ID_TOKEN_REQUEST_URL&audience={target.address}" | jq --raw-output .value)
{curl(target, "$TOKEN", "          ")}
""",
    )


def _gitlab(bound: Mapping[str, str], target: Target) -> tuple[str, str]:
    rule = (
        f'\n    - if: $CI_COMMIT_BRANCH == "{bound["branch"]}"'
        if bound.get("branch")
        else "\n    - when: always"
    )
    environment = f"\n  environment: {bound['environment']}" if bound.get("environment") else ""
    return (
        bound["workflow"],
        f"""tests:
  script:
    - echo "Replace this line with the command of your tests, which writes {target.file}."
  artifacts:
    when: always
    paths: [{target.file}]

plumbline:
  stage: .post
  when: always{environment}
  rules:{rule}
  id_tokens:
    PLUMBLINE_TOKEN:
      aud: {target.address}
  script:
    - |
{curl(target, "$PLUMBLINE_TOKEN", "      ")}
""",
    )


def _azure(bound: Mapping[str, str], target: Target) -> tuple[str, str]:
    resource = f"api://{bound['audience']}" if bound.get("audience") else target.address
    more = "&commit=$(Build.SourceVersion)&run=$(Build.BuildId)"
    return (
        "azure-pipelines.yml",
        f"""trigger: none
pool:
  vmImage: ubuntu-latest
steps:
  - script: echo "Replace this line with the command of your tests, which writes {target.file}."
    displayName: Run your tests
  - task: AzureCLI@2
    displayName: File the result in Plumbline
    condition: succeededOrFailed()
    inputs:
      azureSubscription: YOUR-SERVICE-CONNECTION
      scriptType: bash
      scriptLocation: inlineScript
      inlineScript: |
        TOKEN=$(az account get-access-token --scope "{resource}/.default" --query accessToken --output tsv)
{curl(target, "$TOKEN", "        ", more)}
""",
    )


def _kubernetes(bound: Mapping[str, str], target: Target) -> tuple[str, str]:
    return (
        "evidence-job.yaml",
        f"""apiVersion: batch/v1
kind: Job
metadata:
  name: evidence
  namespace: {bound["namespace"]}
spec:
  backoffLimit: 0
  template:
    spec:
      serviceAccountName: {bound["account"]}
      restartPolicy: Never
      containers:
        - name: file
          image: curlimages/curl
          workingDir: /report
          command: [sh, -c]
          args:
            - |
{curl(target, "$(cat /token/plumbline)", "              ")}
          volumeMounts:
            - {{name: token, mountPath: /token, readOnly: true}}
            - {{name: report, mountPath: /report, readOnly: true}}
      volumes:
        - name: token
          projected:
            sources:
              - serviceAccountToken: {{audience: "{target.address}", expirationSeconds: 600, path: plumbline}}
        - name: report
          configMap: {{name: YOUR-REPORT}}  # kubectl create configmap YOUR-REPORT --from-file={target.file}
""",
    )


def _other(bound: Mapping[str, str], target: Target) -> tuple[str, str]:
    return (
        "file-result.sh",
        f"""# TOKEN is the token that your platform signs for the job, with this audience: {target.address}
{curl(target, "$TOKEN", "")}
""",
    )


MAKERS = {
    PipelinePlatform.GITHUB.value: _github,
    PipelinePlatform.GITLAB.value: _gitlab,
    PipelinePlatform.AZURE.value: _azure,
    PipelinePlatform.KUBERNETES.value: _kubernetes,
    PipelinePlatform.OTHER.value: _other,
}
