"""Order by meaning, by an embeddings service, if there is `PLUMBLINE_EMBEDDINGS_URL`.

The service belongs to the company and has OpenAI's interface: a model and texts in, one vector a text out. It only
changes the order of rows that were found by words. It has two seconds. If it fails, the order by words remains, and
the service is not asked for a minute. A caller passes only what the person may see, and nothing of a confidential
initiative.
"""

import http.client
import json
import math
import urllib.request
from collections.abc import Sequence
from itertools import chain
from operator import mul

import structlog
from django.conf import settings
from django.core.cache import cache

from governance.runtime import outgoing_request

SECONDS = 2.0  # for the whole answer
REST = 60  # seconds after a failure in which the service is not asked
SENT = 20  # texts at most
LETTERS = 1_000  # of a text
LONGEST = 8 << 20  # bytes of an answer
FAILED = "embeddings-failed"  # in the cache, while the service is left in peace

log = structlog.get_logger("plumbline.embeddings")


class NoMeaning(Exception):
    """The service did not answer in time, or not with one vector for each text."""


def by_meaning(asked: str, texts: Sequence[str]) -> list[int] | None:
    """Return the places of the texts, nearest in meaning first.

    The result is None without a service, or if it fails. Only the first `SENT` texts are ordered. An empty text is
    not sent and keeps its place.
    """
    places = [place for place, text in enumerate(texts[:SENT]) if text]
    if not settings.EMBEDDINGS_URL or not asked.strip() or len(places) < 2 or cache.get(FAILED):
        return None
    try:
        question, *vectors = _vectors([asked, *(texts[place] for place in places)])
    except NoMeaning as why:
        cache.set(FAILED, True, REST)
        log.warning("the embeddings service is left in peace", seconds=REST, why=str(why))
        return None
    near = {place: _cosine(question, vector) for place, vector in zip(places, vectors, strict=True)}
    ordered = iter(sorted(places, key=lambda place: -near[place]))
    return [next(ordered) if place in near else place for place in range(len(texts))]


def _vectors(texts: list[str]) -> list[list[float]]:
    """Return one vector for each of these texts. Raises NoMeaning."""
    body = {"model": settings.EMBEDDINGS_MODEL, "input": [text[:LETTERS] for text in texts]}
    headers = {"Content-Type": "application/json"}
    if settings.EMBEDDINGS_KEY:
        headers["Authorization"] = f"Bearer {settings.EMBEDDINGS_KEY}"
    request = urllib.request.Request(settings.EMBEDDINGS_URL, json.dumps(body).encode(), headers)
    try:
        answer = outgoing_request.ask(request, seconds=SECONDS, longest=LONGEST)
        if answer.status != 200:
            raise NoMeaning(f"The service answers with status {answer.status}.")
        rows = sorted(json.loads(answer.content)["data"], key=lambda row: row["index"])
        vectors = [[float(number) for number in row["embedding"]] for row in rows]
    except (OSError, http.client.HTTPException, ValueError, TypeError, KeyError, RecursionError) as trouble:
        raise NoMeaning(f"{type(trouble).__name__}: {trouble}") from None
    sizes = {len(vector) for vector in vectors}
    if len(vectors) != len(texts) or len(sizes) != 1 or not all(map(math.isfinite, chain(*vectors))):
        raise NoMeaning("The service did not answer with one vector for each text.")
    return vectors


def _cosine(one: list[float], other: list[float]) -> float:
    lengths = math.hypot(*one) * math.hypot(*other)
    return sum(map(mul, one, other)) / lengths if lengths else 0.0
