"""Entries about post-mortems in plain words; hung on the words of the cases by `AppConfig.ready()`."""

SENTENCES = {
    "post-mortem started": lambda facts, book: "began to write the post-mortem.",
    "post-mortem written": lambda facts, book: "went on writing the post-mortem.",
    "post-mortem published": lambda facts, book: "published the post-mortem; the adoption seat confirms it.",
    "post-mortem confirmed": lambda facts, book: (
        f"confirmed the post-mortem{': ' + facts['note'] if facts['note'] else '.'}"
    ),
    "post-mortem sent back": lambda facts, book: f"sent the post-mortem back: {facts['why']}",
}
