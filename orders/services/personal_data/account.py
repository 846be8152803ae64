"""The account itself: who it is, how it signs in, and which apps may act for it."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from allauth.idp.oidc.models import Client, Token
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth import get_user_model

from orders.models import WebhookEndpoint
from orders.services.personal_data.table import Derived, Kind, Table

User = get_user_model()

PROFILE = Table(
    name="profile",
    words="The account.",
    model=User,
    find=lambda person: User.objects.filter(pk=person.user.pk),
    columns={
        "email": "email",
        "first_name": "first_name",
        "last_name": "last_name",
        "date_joined": "date_joined",
        "last_login": "last_login",
        "is_staff": "is_staff",
    },
)

ACCOUNT_TABLES = (
    Table(
        name="addresses",
        words="Email addresses of the account.",
        model=EmailAddress,
        find=lambda person: EmailAddress.objects.filter(user=person.user).order_by("pk"),
        columns={"email": "email", "is_verified": "verified", "is_primary": "primary"},
    ),
    Table(
        name="second_factors",
        words="What is asked for beside the password, without its secrets.",
        model=Authenticator,
        find=lambda person: Authenticator.objects.filter(user=person.user).order_by("pk"),
        columns={"type": "type", "created_at": "created_at", "last_used_at": "last_used_at"},
    ),
    Table(
        name="sessions",
        words="Where the account is signed in: the program's name for itself, and the network, not the "
        "address, that it signed in from.",
        model=UserSession,
        find=lambda person: UserSession.objects.filter(user=person.user).order_by("pk"),
        columns={
            "user_agent": "user_agent",
            "network": Derived("ip", Kind.TEXT),
            "created_at": "created_at",
        },
    ),
    Table(
        name="apps",
        words="Third parties' apps that may act for the account, without their tokens.",
        model=Token,
        find=lambda person: Token.objects.filter(user=person.user).order_by("created_at", "pk"),
        columns={
            "app": "client__name",
            "token_type": Derived("type", Kind.TEXT, lambda kind: Token.Type(kind).name.lower()),
            "scopes": Derived("scopes", Kind.TEXTS, str.split),
            "created_at": "created_at",
            "expires_at": "expires_at",
        },
    ),
    Table(
        name="registered_apps",
        words="Apps that the account registered with the shop.",
        model=Client,
        find=lambda person: Client.objects.filter(owner=person.user).order_by("created_at", "pk"),
        columns={"client_id": "id", "name": "name", "created_at": "created_at"},
    ),
    Table(
        name="webhook_endpoints",
        words="Addresses that the account had the shop send events to, without their secrets.",
        model=WebhookEndpoint,
        find=lambda person: WebhookEndpoint.objects.filter(created_by=person.user).order_by(
            "created_at", "pk"
        ),
        columns={
            "url": "url",
            "description": "description",
            "events": Derived("events", Kind.TEXTS),
            "created_at": "created_at",
        },
    ),
)
