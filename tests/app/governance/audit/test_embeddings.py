"""Order by meaning: what the company's own service is sent, what is believed of it, and what its failure costs."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.core.cache import cache
from django.urls import reverse

from adoption.lessons import lesson_search
from governance.database import embeddings
from governance.database.embeddings import by_meaning
from governance.database.row_history import acting
from initiatives.lifecycle.access import visibility
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.initiative.similar_initiatives import similar
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import Initiative
from tests.support import factories
from tests.support.attacks.unguarded_writes import unguarded

# A text that has one of these words means it: each stands for a direction of its own.
MEANINGS = ("cat", "dog", "tree")


class Service(ThreadingHTTPServer):
    """A stand-in for the service: a vector of the `MEANINGS` in each text; `answer` makes it answer otherwise."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Call)
        self.asked: list[dict] = []
        self.keys: list[str] = []
        self.answer = None
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def sent(self) -> list[str]:
        """All texts that it was ever sent."""
        return [text for body in self.asked for text in body["input"]]


class _Call(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(body)
        self.server.keys.append(self.headers.get("Authorization", ""))
        if self.server.answer is not None:
            return self.server.answer(self)
        vectors = [[float(word in text.lower()) + 0.01 for word in MEANINGS] for text in body["input"]]
        rows = [{"index": place, "embedding": vector} for place, vector in enumerate(vectors)]
        say(self, {"data": rows[::-1]})

    def log_message(self, *_):
        pass


def say(call: _Call, body, status: int = 200, **headers: str) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    call.send_response(status)
    for name, value in {"Content-Length": str(len(content)), **headers}.items():
        call.send_header(name, value)
    call.end_headers()
    call.wfile.write(content)


@pytest.fixture
def service(settings):
    """The stand-in, and the settings that name it."""
    cache.delete(embeddings.FAILED)
    found = Service()
    settings.EMBEDDINGS_URL = f"http://127.0.0.1:{found.server_port}/v1/embeddings"
    settings.EMBEDDINGS_MODEL, settings.EMBEDDINGS_KEY = "small", "sk-4711"
    yield found
    found.shutdown()
    found.server_close()
    cache.delete(embeddings.FAILED)


def test_the_nearest_in_meaning_comes_first_and_what_is_not_sent_keeps_its_place(service):
    assert by_meaning("a cat", ["one tree", "", "one cat", "one dog and cat"]) == [2, 1, 3, 0]
    (body,) = service.asked
    assert body == {"model": "small", "input": ["a cat", "one tree", "one cat", "one dog and cat"]}
    assert service.keys == ["Bearer sk-4711"]


def test_what_is_sent_is_bounded(service):
    texts = ["x" * 5_000] * 100
    assert by_meaning("y" * 5_000, texts) == list(range(100))
    assert len(service.sent) == embeddings.SENT + 1
    assert {len(text) for text in service.sent} == {embeddings.LETTERS}


def test_without_a_service_nobody_is_asked(service, settings):
    settings.EMBEDDINGS_URL = ""
    assert by_meaning("a cat", ["one tree", "one cat"]) is None
    assert service.asked == []


def two(vector) -> dict:
    return {"data": [{"index": place, "embedding": vector} for place in range(3)]}


WRONG = {
    "an error": lambda call: say(call, {"error": "no"}, 500),
    "no JSON": lambda call: say(call, b"<html>"),
    "another form": lambda call: say(call, {"data": 7}),
    "too few": lambda call: say(call, {"data": two([1.0])["data"][:2]}),
    "of two lengths": lambda call: say(
        call, {"data": [{"index": n, "embedding": [1.0] * (n + 1)} for n in range(3)]}
    ),
    "no numbers": lambda call: say(call, two(["a"])),
    "no number at all": lambda call: say(call, two([float("nan")])),
    "somewhere else": lambda call: say(
        call, b"", 307, Location=f"http://127.0.0.1:{call.server.server_port}/x"
    ),
    "no HTTP": lambda call: call.wfile.write(b"\r\n\r\n"),
}


@pytest.mark.parametrize("answer", WRONG.values(), ids=WRONG)
def test_a_wrong_answer_leaves_the_order_by_words_and_the_service_in_peace(service, answer):
    service.answer = answer
    for _ in range(2):
        assert by_meaning("a cat", ["one tree", "one cat"]) is None
    assert len(service.asked) == 1
    cache.delete(embeddings.FAILED)
    service.answer = None
    assert by_meaning("a cat", ["one tree", "one cat"]) == [1, 0]


def test_a_slow_answer_is_not_waited_for(service, monkeypatch):
    monkeypatch.setattr(embeddings, "SECONDS", 0.3)
    whole = threading.Event()

    def drip(call):
        call.send_response(200)
        call.end_headers()
        for _ in range(40):
            call.wfile.write(b" ")
            call.wfile.flush()
            time.sleep(0.1)
        whole.set()

    service.answer = drip
    assert by_meaning("a cat", ["one tree", "one cat"]) is None
    assert not whole.is_set()


def test_similar_initiatives_in_the_order_of_meaning_and_nothing_hidden_is_sent(cast, as_, service):
    make = factories.make_initiative
    make(cast, title="Letter sorting", problem="A tree of letters.")
    own = make(cast, title="Letter box", problem="A cat in the letters.")
    foreign = make(
        cast,
        title="Letter robot",
        problem="Foreign cat.",
        unit=cast.elsewhere,
        owner=cast.chair,
        by=cast.chair,
    )
    make(cast, title="Letter secrets", problem="Secret cat.")
    with unguarded("initiatives_initiative"), acting(system="test", reason="secret"):
        hidden = Initiative.objects.latest("pk")
        hidden.confidential = True
        hidden.save()
    near = similar("Letter sorting", "For a cat", visibility.visible_to(cast.owner))
    assert near.by_meaning
    assert near.stubs[0].ref == own.ref
    sent = " ".join(service.sent)
    assert "secret" not in sent.lower()
    assert "Foreign" not in sent, "of an initiative that the person may not open the title alone"
    assert foreign.title in sent
    typed = {"title": "Letter sorting", "problem": "For a cat"}
    words = "Your company's service has ordered the initiatives by meaning"
    assert words in as_(cast.owner).post(reverse("similar"), typed).content.decode()
    service.answer = WRONG["an error"]
    assert words not in as_(cast.owner).post(reverse("similar"), typed).content.decode()


def test_lessons_in_the_order_of_meaning_and_nothing_of_a_confidential_initiative_is_sent(cast, as_, service):
    from tests.acceptance.adoption.test_lessons import taught

    first = factories.make_lesson(cast, text="Rotas on paper hang in a tree.", instead="Ask.")
    second = factories.make_lesson(cast, text="Rotas on paper: the cat slept on them.", instead="Ask.")
    initiative = factories.make_prototype(cast, title="Depot rotas")
    detail_actions.change_details(
        initiative=initiative, problem="Calls.", platform="", confidential=True, by=cast.owner
    )
    stage_actions.stop(initiative=initiative, reason_code="no_value", reason="Nobody used it.", by=cast.owner)
    secret = taught(initiative, cast, "Rotas on paper, secretly.")
    by_words = [hit.lesson for hit in lesson_search.search("rotas on paper")]
    found = lesson_search.answers("rotas on paper for a cat", cast.owner)
    assert found.by_meaning
    keys = [hit.lesson for hit in found.hits]
    assert set(keys) == set(by_words) == {first.pk, second.pk, secret.pk}
    assert keys.index(second.pk) < keys.index(first.pk)
    assert "secretly" not in " ".join(service.sent)
    page = as_(cast.owner).get(reverse("lessons-all"), {"q": "rotas on paper for a cat"}).content.decode()
    assert "A service of your company has sorted these lessons by meaning." in page
