"""An OpenID Connect provider of django-oauth-toolkit, set up for one client, as a process of its own.

Run by a Python in which it is installed; PORT and REDIRECT come from the environment. It knows one person.
"""

import os
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import include, path

PORT = int(os.environ["PORT"])
KEY = rsa.generate_private_key(65537, 2048).private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)

settings.configure(
    SECRET_KEY="of a test",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "oauth2_provider",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    LOGIN_URL="/in/",
    SESSION_COOKIE_NAME="second",
    OAUTH2_PROVIDER={
        "OIDC_ENABLED": True,
        "OIDC_RSA_PRIVATE_KEY": KEY.decode(),
        "OIDC_RP_INITIATED_LOGOUT_ENABLED": True,
        "OIDC_RP_INITIATED_LOGOUT_ALWAYS_PROMPT": False,
        "SCOPES": {"openid": "", "profile": "", "email": ""},
        "PKCE_REQUIRED": True,
        "ALLOWED_REDIRECT_URI_SCHEMES": ["http"],
    },
)
django.setup()
call_command("migrate", verbosity=0)

from django.contrib.auth import get_user_model, login  # noqa: E402
from oauth2_provider.models import Application  # noqa: E402

ana = get_user_model().objects.create_user("ana")
Application.objects.create(
    name="Plumbline",
    client_id="plumbline-client",
    client_secret="a secret of the client",
    client_type="confidential",
    authorization_grant_type="authorization-code",
    redirect_uris=os.environ["REDIRECT"],
    post_logout_redirect_uris="http://127.0.0.1:8000/sign-in/",
    algorithm="RS256",
    skip_authorization=True,
)


def enter(request):
    """Who is there? The one person, once they typed their name."""
    if request.method == "POST":
        login(request, ana)
        return HttpResponseRedirect(request.GET["next"])
    return HttpResponse(f'<form method="post" action="{request.get_full_path()}"><input name="login"></form>')


urlpatterns = [path("in/", enter), path("o/", include("oauth2_provider.urls"))]


class Quiet(WSGIRequestHandler):
    """Says nothing of each request."""

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = make_server("127.0.0.1", PORT, get_wsgi_application(), handler_class=Quiet)
    print("ready", flush=True)
    server.serve_forever()
