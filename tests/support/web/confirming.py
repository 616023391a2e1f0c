"""A client that reads the consequences which a page shows, and confirms exactly these."""

from django.test import Client


def asked(response):
    """Return the sentences that the page asks to confirm; none where it asks nothing."""
    found = getattr(response.wsgi_request, "consequences", None)
    return found.sentences if found is not None and found.asked else []


class ConfirmingClient(Client):
    """Confirm what a page asks, as a person does who has read it. `confirm=False`: only ask."""

    def post(self, path, data=None, *args, confirm=True, **more):
        """Post, and once more with what was asked to be confirmed."""
        response = super().post(path, data, *args, **more)
        found = getattr(response.wsgi_request, "consequences", None)
        if found is None or not found.asked or not confirm:
            return response
        for value in (data or {}).values():
            if hasattr(value, "seek"):
                value.seek(0)
        return super().post(path, (data or {}) | {"confirmed": found.digest}, *args, **more)
