"""Refusals of a provider's answer, with words on how to fix the cause."""


class Denied(Exception):
    """A fault of a provider or its answer, as `words`, a remedy `fix` and a short `code`.

    They contain neither a token nor a code nor a secret, because pages and the audit log show them.
    """

    def __init__(self, code: str, words: str, fix: str):
        super().__init__(f"{words} {fix}")
        self.code, self.words, self.fix = code, words, fix
