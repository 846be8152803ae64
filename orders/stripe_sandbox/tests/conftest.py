"""The two roads to the sandbox's API: in this process, and over HTTP on a loopback address."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from orders.stripe_sandbox.tests import factories, loopback


@pytest.fixture(params=["in this process", "over loopback HTTP"])
def road(request: pytest.FixtureRequest, db: None) -> Iterator[None]:
    """Run a test twice: `stripe_client` goes through the transport, then through a socket."""
    if request.param == "in this process":
        yield
        return
    with loopback.serve(shared_connection=True) as url, factories.api_at(url):
        yield
