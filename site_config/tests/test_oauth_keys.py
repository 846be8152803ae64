"""The signing key of the provider, and what is thrown away of its tokens."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
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

from site_config.accounts.oauth.keys import new_key_pem, signing_key_pem
from site_config.accounts.oauth.tokens import tokens_tidy
from site_config.management.commands.run_scheduler import jobs
from site_config.own_files import text_made_once
from site_config.tests.test_settings import load
from tests.factories import make_user
from tests.partners import make_access_token, make_partner

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


@pytest.mark.django_db
def test_the_scheduler_throws_ended_tokens_away_and_keeps_the_living() -> None:
    partner, user = make_partner(), make_user()
    make_access_token(partner, user, seconds=-1)
    make_access_token(partner, user, seconds=60)

    assert tokens_tidy in [job for _, job in jobs()]
    assert tokens_tidy() == 1
    assert Token.objects.count() == 1
