"""The whole purchase in Firefox, with JavaScript and without: driven by puppeteer, as Playwright drives only
a Firefox of its own making."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

from catalog_pages.models import ProductPage
from orders.models import Order
from tests.e2e.conftest import product, shop_url

__all__ = ["product", "shop_url"]  # fixtures

pytestmark = [pytest.mark.prove, pytest.mark.django_db(transaction=True)]

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
NPM = shutil.which("npm")
SCRIPTS = settings.BASE_DIR / "tests" / "firefox"
PLACES = ["Music you keep", "Catalogue", "Harbour", "Cart", "Test payment", "Your files are ready"]


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The script beside the packages that its lock names, fetched anew."""
    if FIREFOX is None:
        pytest.skip("needs Firefox: apt-get install --no-install-recommends firefox-esr")
    if NPM is None:
        pytest.skip("needs npm: apt-get install npm, or Node's own packages")
    folder = tmp_path_factory.mktemp("firefox")
    for file in SCRIPTS.iterdir():
        if file.is_file():
            shutil.copy(file, folder)
    command = [NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "purchase.mjs"


@pytest.mark.parametrize("javascript", ["on", "off"])
def test_a_guest_buys_and_fetches_in_firefox(
    driver: Path, product: ProductPage, shop_url: str, tmp_path: Path, javascript: str
) -> None:
    arrived = tmp_path / "downloads"
    arrived.mkdir()
    command = ["node", str(driver), str(FIREFOX), shop_url, str(arrived), javascript]
    own = {**os.environ, "HOME": str(tmp_path), "NO_PROXY": "localhost,127.0.0.1"}

    done = subprocess.run(
        command,
        cwd=driver.parent,
        env=own,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines() == [*PLACES, "The file is here"]
    (file,) = arrived.iterdir()
    sha256 = product.tracks.first().files.first().asset.sha256
    assert hashlib.sha256(file.read_bytes()).hexdigest() == sha256
    assert Order.objects.get().status == "paid"
