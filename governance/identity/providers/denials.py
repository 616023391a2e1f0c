"""Why an answer of a provider is not taken, in words that say how to fix it."""


class Denied(Exception):
    """Something about a provider or its answer is not right. `words` says what, `fix` what to do, `code` in one word.

    Neither holds a token, a code or a secret: they stand on pages and in the audit log.
    """

    def __init__(self, code: str, words: str, fix: str):
        super().__init__(f"{words} {fix}")
        self.code, self.words, self.fix = code, words, fix
