"""An application that only counts what reaches it: how a web server parts what comes over one connection."""


def application(environment, start_response):
    """Answer any question with its path."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environment["PATH_INFO"].encode()]
