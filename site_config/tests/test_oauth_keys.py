"""The signing key of the provider, and what is thrown away of its tokens."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import jwt
import pytest
from allauth.idp.oidc.models import Client as Partner
from allauth.idp.oidc.models import Token
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from site_config.accounts.oauth.keys import new_key_pem, signing_key_pem
from site_config.accounts.oauth.tokens import tokens_tidy
from site_config.management.commands.run_scheduler import jobs
from site_config.own_files import text_made_once
from site_config.tests.test_settings import load
from tests.factories import make_user
from tests.partners import (
    answered,
    asking,
    consent,
    exchange,
    make_access_token,
    make_partner,
    pkce,
)

RACERS = 6


def test_a_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "key.pem"

    first, second = text_made_once(path, new_key_pem), text_made_once(path, new_key_pem)

    assert first == second
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_pem_private_key(first.encode(), password=None).key_size == 2048
    assert [one.name for one in path.parent.iterdir()] == ["key.pem"]


def test_processes_that_start_together_agree_on_one_whole_key(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    line = (
        "import sys; from pathlib import Path; "
        "from site_config.accounts.oauth.keys import new_key_pem; "
        "from site_config.own_files import text_made_once; "
        "sys.stdout.write(text_made_once(Path(sys.argv[1]), new_key_pem))"
    )

    racers = [
        subprocess.Popen(
            [sys.executable, "-c", line, str(path)],
            cwd=settings.BASE_DIR,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(RACERS)
    ]
    keys = {racer.communicate(timeout=120)[0] for racer in racers}

    assert keys == {path.read_text()}
    assert [one.name for one in tmp_path.iterdir()] == ["key.pem"]


def test_the_operators_key_goes_first(settings: object) -> None:
    settings.OIDC_PRIVATE_KEY = "theirs"  # type: ignore[attr-defined]

    assert signing_key_pem() == "theirs"


def test_an_rsa_key_may_stand_on_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    pem = new_key_pem()

    config = load(monkeypatch, OIDC_PRIVATE_KEY=pem.replace("\n", "\\n"))

    assert config.oidc_private_key == pem


def test_a_key_of_another_kind_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    for wrong in (pem, "nonsense"):
        with pytest.raises(ImproperlyConfigured, match="OIDC_PRIVATE_KEY: must be an RSA"):
            load(monkeypatch, OIDC_PRIVATE_KEY=wrong)


def kids(client: Client) -> list[str]:
    return [key["kid"] for key in client.get("/.well-known/jwks.json").json()["keys"]]


def id_token(client: Client, partner: Partner) -> str:
    verifier, challenge = pkce()
    back = answered(consent(client, asking(partner, challenge)))
    return str(exchange(Client(), partner, back["code"], verifier).json()["id_token"])


@pytest.mark.django_db
def test_what_was_signed_before_the_key_changed_can_still_be_checked(
    client: Client, settings: Any
) -> None:
    old, new = new_key_pem(), new_key_pem()
    partner = make_partner()
    client.force_login(make_user())
    settings.OIDC_PRIVATE_KEY = old
    signed_before = id_token(client, partner)

    settings.OIDC_PRIVATE_KEY, settings.OIDC_PREVIOUS_KEYS = new, [old, new]
    signed_after = id_token(client, partner)
    served = jwt.PyJWKSet.from_dict(client.get("/.well-known/jwks.json").json())

    for token in (signed_before, signed_after):
        key = served[jwt.get_unverified_header(token)["kid"]]
        assert jwt.decode(token, key, ["RS256"], audience=partner.pk)["iss"] == "http://testserver"
    assert len(served.keys) == 2
    assert jwt.get_unverified_header(signed_after)["kid"] == kids(client)[0]
    assert not any("d" in key for key in client.get("/.well-known/jwks.json").json()["keys"])


@pytest.mark.wide
@pytest.mark.django_db
def test_an_app_signs_somebody_out_with_a_token_of_the_previous_key(
    client: Client, settings: Any
) -> None:
    old, partner = new_key_pem(), make_partner()
    client.force_login(make_user())
    settings.OIDC_PRIVATE_KEY = old
    hint = id_token(client, partner)

    settings.OIDC_PRIVATE_KEY, settings.OIDC_PREVIOUS_KEYS = new_key_pem(), [old]
    asked = {"id_token_hint": hint, "post_logout_redirect_uri": "https://partner.example/bye"}
    form = {"action": "logout", "csrfmiddlewaretoken": "given"}
    answer = client.post("/identity/o/logout", asked | form)

    assert answer["Location"] == "https://partner.example/bye"


@pytest.mark.wide
@pytest.mark.parametrize("between", ["\n", "", ", ", "\\n\\n"])
def test_previous_keys_stand_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch, between: str
) -> None:
    assert load(monkeypatch).oidc_previous_keys == []
    one, two = new_key_pem().strip(), new_key_pem().strip()

    config = load(monkeypatch, OIDC_PREVIOUS_KEYS=f"{one}{between}{two}".replace("\n", "\\n"))

    assert config.oidc_previous_keys == [one, two]


def test_a_previous_key_of_another_kind_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in (f"{new_key_pem()}-----BEGIN PRIVATE KEY-----\nMIIE", "nonsense"):
        with pytest.raises(ImproperlyConfigured, match="OIDC_PREVIOUS_KEYS: each must be an RSA"):
            load(monkeypatch, OIDC_PREVIOUS_KEYS=wrong)


@pytest.mark.django_db
def test_the_scheduler_throws_ended_tokens_away_and_keeps_the_living() -> None:
    partner, user = make_partner(), make_user()
    make_access_token(partner, user, seconds=-1)
    make_access_token(partner, user, seconds=60)

    assert tokens_tidy in [job for _, job in jobs()]
    assert tokens_tidy() == 1
    assert Token.objects.count() == 1
