"""What a pipeline of an initiative sends: a question before it deploys, and what it fetches."""

import json

from tests.support.servers.asking_systems import System

DIGEST, OTHER = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"


def deployment(version="1.0", artefact=DIGEST, stage="production", **changed) -> dict:
    """The question of a pipeline as AuthZEN writes it."""
    return {
        "subject": {"type": "pipeline", "id": "release"},
        "action": {"name": "deploy", "properties": {"stage": stage, "version": version}},
        "resource": {"type": "artefact", "id": artefact},
    } | changed


class Pipeline(System):
    """A pipeline with a key for deployments."""

    def asks(self, *said, **changed) -> dict:
        """The answer to a question."""
        answer = self.send("/access/v1/evaluation", deployment(*said, **changed))
        assert answer.status_code == 200, answer.content
        return answer.json()

    def attestation(self, answer: dict) -> dict:
        """The envelope of the attestation of an answer."""
        return json.loads(self.get(answer["context"]["attestation"]).content)
