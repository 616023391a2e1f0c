"""Names of the outside frameworks whose paragraphs rulebooks refer to."""

FRAMEWORKS = {
    "soc2": "SOC 2",
    "eu_ai_act": "EU AI Act",
    "iso_42001": "ISO/IEC 42001",
    "nist_ai_rmf": "NIST AI RMF",
}


def framework_words(key: str) -> str:
    """Return the name of a framework, or its key spelled out if it is unknown here."""
    return FRAMEWORKS.get(key, key.replace("_", " "))
