"""Words for stages in several languages, and the lowest stage of each. A person confirms the guess."""

import re

from governance.tables.cell_values import folded
from governance.vocabulary import Stage

# Words within a stage, folded, in the order they are looked for, so that the weaker or the ended meaning wins.
STAGE_WORDS = (
    ("stopped", "low", (
        "cancel", "abandon", "stopped", "terminated", "discontinued before", "never deployed", "abgebroch",
        "eingestellt", "gestoppt", "verworfen", "annule", "arrete", "interrompu", "gestopt", "stopgezet",
        "beeindigd", "afgeblazen", "detenid", "interrumpid", "annullat", "interrott", "interrompid",
    )),
    ("retired", "low", (
        "retired", "decommission", "sunset", "phased out", "withdrawn", "no longer", "not anymore", "inactive",
        "discontinued", "archived", "ended", "deprecated", "replaced", "ausser betrieb", "stillgelegt",
        "abgeschaltet", "abgelost", "nicht mehr", "inaktiv", "archiviert", "buiten gebruik", "niet meer",
        "uitgefaseerd", "gearchiveerd", "inactief", "hors service", "retire", "desactiv", "inactif", "n'est plus",
        "plus utilise", "plus en", "archive", "retirad", "fuera de", "dado de baja", "dada de baja", "inactiv",
        "descontinuad", "en desuso", "ya no", "archivad", "dismess", "ritirat", "fuori uso", "inattiv", "non piu",
        "desativad", "fora de uso", "inativ", "nao mais", "arquivad", "wycofan",
    )),
    # Whether such a one goes on nobody knows.
    ("", "low", (
        "on hold", "paused", "suspend", "pausier", "ausgesetzt", "ruht", "ruhend", "en pause", "en pausa",
        "gepauzeerd", "opgeschort", "em pausa", "sospes",
    )),
    # Nothing is built yet: an idea comes in as no more than that.
    ("proposed", "medium", (
        "idea", "ideation", "plan", "propos", "intake", "initiat", "backlog", "not started", "to be ", "will be ",
        "scoping", "under consideration", "upcoming", "future", "geplant", "idee", "vorschlag", "vorgeschlagen",
        "in planung", "planung", "konzept", "angedacht", "beantragt", "vorbereitung", "in vorbereitung", "absicht",
        "wird ", "gepland", "voorstel", "voorgenomen", "verkenn", "in voorbereiding", "in aanvraag", "prevu",
        "planifi", "envisage", "a l'etude", "en projet", "en preparation", "a venir", "projete", "planificad",
        "previst", "propuest", "en estudio", "en preparacion", "por ", "pianificat", "proposta", "in programma",
        "in preparazione", "allo studio", "ideia", "planejad", "planead", "planejamento", "planeamento", "em estudo",
        "em preparacao", "pomysl", "planowan",
    )),
    ("prototype", "medium", (
        "pre-deployment", "predeployment", "pre deployment", "pre-pilot", "prepilot", "pre-production",
        "preproduction", "pre-operational", "pre-live", "not in production", "not yet", "ready for", "ready to",
        "awaiting", "proof of", "proof-of", "poc", "discover", "uat", "prototyp", "concept", "experiment",
        "research", "develop",
        "acqui", "procure", "design", "explor", "build", "alpha", "sandbox", "training", "test", "assessment",
        "evaluat", "validat", "noch nicht", "in entwicklung", "entwick", "erforsch", "forschung", "aufbau",
        "machbarkeit", "beschaff", "ausschreibung", "nog niet", "in ontwikkeling", "ontwikk", "ontwerp", "onderzoek",
        "aanbested", "haalbaarheid", "pas encore", "en developpement", "conception", "en cours de", "essai",
        "recherche", "preuve de concept", "maquette", "etude", "projet", "aun no", "todavia no", "en desarrollo",
        "desarroll", "en diseno", "diseno", "prueba", "investigacion", "en ejecucion", "en curso", "licitacion",
        "en construccion", "non ancora", "in sviluppo", "sviluppo", "progettazione", "in corso", "ricerca",
        "collaud", "ainda nao", "em desenvolvimento", "desenvolv", "em teste", "prova de conceito", "em andamento",
        "em execucao", "pesquisa", "projeto",
    )),
    ("mvp", "medium", (
        "beta", "trial", "limited", "mvp", "minimum viable", "soft launch", "rollout", "roll-out", "roll out",
        "rolling out", "partial", "phased", "implementation", "implementing", "deploying", "deployment",
        "being deployed", "early access", "erprobung", "probebetrieb", "teilweise", "einfuhrung", "in umsetzung",
        "ausroll", "implementierung", "gedeeltelijk", "uitrol", "implementatie", "invoering", "partiel",
        "deploiement", "mise en place", "mise en oeuvre", "generalisation", "despliegue", "implementacion",
        "parcial", "implantacion", "speriment", "parzial", "implementazione", "rilascio", "implantacao",
        "implementacao",
    )),
    ("production", "medium", (
        "production", "deployed", "live", "operation", "in use", "in-use", "active", "running", "launched", "scaled",
        "generally available", "implemented", "operating", "used in", "in betrieb", "im betrieb", "im einsatz",
        "in nutzung", "produktiv", "regelbetrieb", "wirkbetrieb", "echtbetrieb", "vollbetrieb", "laufender betrieb",
        "aktiv", "eingesetzt", "eingefuhrt", "umgesetzt", "implementiert", "genutzt", "in verwendung", "in gebruik",
        "in productie", "operationeel", "actief", "geimplementeerd", "ingevoerd", "en service", "en exploitation",
        "en production", "en usage", "utilise", "operationnel", "actif", "deploye", "en place", "mis en service",
        "en fonctionnement", "implemente", "en uso", "en produccion", "operativ", "en operacion", "activ",
        "implementad", "desplegad", "implantad", "en funcionamiento", "vigente", "en marcha", "en servicio",
        "in uso", "in produzione", "in esercizio", "attiv", "operativo", "implementato", "em uso", "em producao",
        "em operacao", "ativ", "em funcionamento", "w uzyciu",
    )),
)  # fmt: skip
# A pilot serves a few for real.
PILOT = re.compile(r"(?<![a-z])(?:pilot(?!age)|proefproject|proefperiode|in proef|proef\b|probebetrieb)")
# Words beside it that make it less: one that is only meant, one that is not begun, and one that is over.
PILOT_IS_MEANT = re.compile(
    r"\b(?:idea|ideation|plan|propos|prepar|intake|schedul|upcoming|future|to be |will |geplant|planung|vorbereit"
    r"|vorgesehen|angedacht|idee|gepland|voorbereid|voorgenomen|prevu|planifi|envisag|previst|planificad|propuest"
    r"|pianificat|planejad|planead|por iniciar|por comenzar|a venir|not started|konzept)"
)
PILOT_NOT_BEGUN = re.compile(
    r"\b(?:pre|before|prior to|towards?|ready (?:for|to)|awaiting|no|not|nicht|kein\w*|niet|geen|pas|sin|sans|non"
    r"|nao|vor(?: dem)?|voor|avant|antes del?|prima del?)[\s-]*(?:\w+[\s-]+){0,2}?(?:pilot|proef)"
    r"|prepilot|concept|design|entwurf"
)
PILOT_IS_OVER = re.compile(
    r"\b(?:complet|finish|finali|abgeschlossen|beendet|afgerond|voltooid|termin|conclu)"
)
# What stands before words for real use and makes them their contrary.
NOT_IN_USE = re.compile(
    r"\b(?:not|never|nicht|kein\w*|niet|geen|pas|no|non|nao|sin|sans|ohne|zonder|senza|sem)[\s-]+"
    r"(?:[\w']+[\s-]+){0,3}?$"
)
# A year, an end or a readiness beside words for real use: whether the use has begun, or is over, is not certain.
AT_SOME_TIME = re.compile(
    r"\b(?:(?:19|20)\d\d|ready|was|were|until|till|former\w*|previous\w*|bis|ehemal\w*|fruher|bereit|jusqu\w*|hasta|fino"
    r"|tot|ate)\b"
)
SHORT = (
    60  # letters of a status; a longer one is a sentence, in which these words may be about something else
)
PATTERNS = [
    (stage, confidence, re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, words))})"))
    for stage, confidence, words in STAGE_WORDS
]
GUESSED = "Guessed from the words; confirm it."
LOOKED_AT = 500  # letters of a stage; what is longer is a text about it


def guess_stage(raw: str) -> tuple[str, str, str]:
    """Return the lowest stage that the words may mean, or "" if they are unknown.

    The other values are how sure that is ("medium", "low"), and the reason.
    """
    words = _words(raw[:LOOKED_AT])
    lead = re.split(r" [\u2013\u2014-] |: ", words)[0]
    for text in dict.fromkeys((lead, words)):
        if found := _pilot_in(text) or _stage_in(text):
            return found
    return "", "low", "The words say nothing known."


def unlisted(text: str) -> str:
    """Return a value without its list letter ("a) ", also repeated)."""
    return re.sub(r"^(?:[A-Za-z0-9]\)\s*)+", "", text.strip()).strip()


def _words(raw: str) -> str:
    """Return the words, folded, and split at underscores and capitals."""
    return folded(re.sub(r"(?<=[a-z])(?=[A-Z][a-z])|_+", " ", unlisted(raw)))


def _stage_in(text: str) -> tuple[str, str, str] | None:
    for stage, confidence, pattern in PATTERNS:
        if found := pattern.search(text):
            if not stage:
                return "", "low", "It rests: whether it goes on is for a person to say."
            if stage in (Stage.PRODUCTION, Stage.MVP) and NOT_IN_USE.search(text[: found.start()]):
                return "", "low", "It says what it is not: choose what it is."
            if stage in (Stage.PRODUCTION, Stage.MVP) and len(text) <= SHORT and AT_SOME_TIME.search(text):
                return "", "low", "It names a year, an end or a readiness: choose what it means."
            return stage, confidence, GUESSED
    return None


def _pilot_in(text: str) -> tuple[str, str, str] | None:
    """Return the stage of a pilot: MVP, or less if it is meant or not begun, or None."""
    if not PILOT.search(text) or any(pattern.search(text) for _, _, pattern in PATTERNS[:3]):
        return None
    if PILOT_IS_MEANT.search(text):
        return "proposed", "medium", GUESSED
    if PILOT_NOT_BEGUN.search(text):
        return "prototype", "medium", GUESSED
    return "mvp", "low" if PILOT_IS_OVER.search(text) else "medium", GUESSED
