"""Where a webhook may go, and that it goes to no other place than the one that was judged."""

from __future__ import annotations

import datetime
import socket
import ssl
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from orders.services.outgoing.addresses import is_public, target_of, url_clean
from orders.services.outgoing.errors import NotSent, WebhookUrlInvalid
from orders.services.outgoing.transport import post
from orders.tests.hooks import answer, receiver


@pytest.fixture
def local_shop(settings: Any) -> None:
    settings.SITE_BASE_URL = "http://127.0.0.1:8000"


@pytest.fixture
def public_shop(settings: Any) -> None:
    settings.SITE_BASE_URL = "https://shop.example.com"


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What names mean: each look-up takes the first answer, the last one stays."""
    known: dict[str, list[str]] = {}
    real = socket.getaddrinfo

    def look_up(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if host not in known:
            return real(host, port, *args, **kwargs)
        found = known[host].pop(0) if len(known[host]) > 1 else known[host][0]
        return [
            (
                socket.AF_INET6 if ":" in one else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (one, port),
            )
            for one in found.split()
        ]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://example.com/",
        "https://hooks.example.co.uk/in/1?token=a%20b&x=[1]".replace("[1]", "1"),
        "https://xn--bcher-kva.example/hooks",
        "https://Example.COM:8443/hooks",
        "https://example.com:443/~me/(a)",
        "https://a-b.example.com:59999/",
    ],
)
def test_an_https_address_with_a_name_is_taken_as_it_is(public_shop: None, url: str) -> None:
    assert url_clean(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "http://example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "https://",
        "https:///hooks",
        "https://localhost/",
        "https://intranet/",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://93.184.216.34/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "http://127.0.0.1:8000/",
        "https://user@example.com/",
        "https://user:word@example.com/",
        "https://example.com@evil.example/",
        "https://example.com/#part",
        "https://example.com:22/",
        "https://example.com:25/",
        "https://example.com:80/",
        "https://example.com:0/",
        "https://example.com:65536/",
        "https://example.com:99999/",
        "https://example.com:port/",
        "https://example.com./",
        "https://-example.com/",
        "https://example..com/",
        "https://exa_mple.com/",
        "https://example.com/a b",
        "https://example.com/a\nHost: evil.example",
        "https://example.com/\n",
        "https://example.com\n",
        " https://example.com/",
        "https://example.com\\@evil.example/",
        "https://example.com/\\..",
        "https://éxample.com/",
        "https://example.com/é",
        "https://example.com/\0",
        "HTTPS://example.com/",
        f"https://{'a' * 64}.example.com/",
        f"https://example.com/{'a' * 500}",
    ],
)
def test_anything_else_is_refused(public_shop: None, url: str) -> None:
    with pytest.raises(WebhookUrlInvalid):
        url_clean(url)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:5000/in", "http://localhost:5000", "https://[::1]/"]
)
def test_a_shop_on_a_loopback_host_may_call_its_own_machine(local_shop: None, url: str) -> None:
    assert url_clean(url) == url


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:99999/", "http://127.0.0.2/", "http://user@127.0.0.1/", "http://10.0.0.1/"],
)
def test_even_there_everything_else_is_refused(local_shop: None, url: str) -> None:
    with pytest.raises(WebhookUrlInvalid):
        url_clean(url)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.9.9.9", "169.254.169.254", "172.16.0.1",
        "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.168.1.1", "198.18.0.1", "198.51.100.7",
        "192.0.0.9", "192.0.0.170", "192.31.196.1", "192.52.193.1", "192.88.99.1", "192.175.48.1",
        "203.0.113.9", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::127.0.0.1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
        "64:ff9b::10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1",
        "2002:7f00:1::", "2002:5db8:d822::1", "fc00::1", "fd12:3456::1", "fe80::1", "fec0::1", "ff02::1",
        "64:ff9b::192.88.99.1", "64:ff9b::169.254.169.254", "64:ff9b:1:ffff::8.8.8.8", "::ffff:192.88.99.1",
        "::ffff:0:8.8.8.8", "::8.8.8.8", "100:0:0:1::1", "2001:1::1", "2001:2::1", "2001:3::1",
        "2001:4:112::1", "2001:10::1", "2001:20::1", "2001:30::1", "2001:0:5db8:d822::1", "2002:808:808::1",
        "2620:4f:8000::1", "3fff::1", "3fff:fff:ffff::1", "4000::1", "5f00::1", "1::1", "200::1", "e000::1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_everybodys_are_refused(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "93.184.216.34",
        "8.8.8.8",
        "172.32.0.1",
        "192.88.98.1",
        "192.88.100.1",
        "2001:200::1",
        "2001:db7::1",
        "2003::1",
        "2606:4700::6810:84e5",
        "3ffe::1",
        "3fff:1000::1",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
    ],
)
def test_addresses_of_the_internet_are_taken(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "found",
    [
        "127.0.0.1",
        "10.0.0.5",
        "::1",
        "93.184.216.34 192.168.0.1",
        "8.8.8.8 ::ffff:127.0.0.1",
        "fe80::1%eth0",
    ],
)
def test_a_name_with_one_address_that_is_not_public_is_refused(
    public_shop: None, names: dict[str, list[str]], found: str
) -> None:
    names["hooks.example.com"] = [found]

    with pytest.raises(NotSent) as refused:
        target_of("https://hooks.example.com/")

    assert refused.value.code == "address_not_public"
    assert found.split()[0] not in refused.value.sentence  # nobody learns what is inside


def test_a_name_that_means_nothing_is_refused(public_shop: None, names: Any) -> None:
    names["hooks.example.com"] = [""]

    with pytest.raises(NotSent) as refused:
        target_of("https://hooks.example.com/")

    assert refused.value.code == "name_unknown"


def test_a_public_shop_calls_no_service_of_its_own_machine(
    public_shop: None, names: dict[str, list[str]]
) -> None:
    with receiver() as here:
        names["hooks.example.com"] = ["127.0.0.1"]

        with pytest.raises(NotSent):
            post(url=f"https://hooks.example.com:{here.port}/", body=b"{}", headers={})

    assert here.received == []


def test_a_name_is_looked_up_once_and_what_it_means_later_does_not_count(
    public_shop: None, names: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    names["rebind.example.com"] = ["93.184.216.34", "127.0.0.1"]
    asked: list[Any] = []

    def connect(self: Any, address: Any) -> None:
        asked.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)

    with pytest.raises(NotSent):
        post(url="https://rebind.example.com/", body=b"{}", headers={})

    assert asked == [("93.184.216.34", 443)]


def test_a_proxy_of_the_environment_is_not_asked(
    local_shop: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiver() as proxy, receiver() as here:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")

        assert post(url=here.url, body=b"{}", headers={}).is_success

    assert (len(proxy.received), len(here.received)) == (0, 1)


def test_an_address_that_takes_nobody_gives_way_to_the_next(
    local_shop: None, names: dict[str, list[str]]
) -> None:
    with receiver() as here:
        names["localhost"] = ["::1 127.0.0.1"]

        assert post(url=f"http://localhost:{here.port}/", body=b"{}", headers={}).is_success


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's context for hooks.example.com, whose issuer this process trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hooks.example.com")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("hooks.example.com")]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, key_file = tmp_path / "certificate.pem", tmp_path / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key_file)
    return context


def test_over_tls_the_name_is_told_and_its_certificate_verified(
    local_shop: None, names: dict[str, list[str]], certificate: ssl.SSLContext
) -> None:
    asked: list[Any] = []
    certificate.sni_callback = lambda sock, name, context: asked.append(name)
    names["hooks.example.com"] = ["127.0.0.1"]

    with receiver(tls=certificate) as here:
        url = f"https://hooks.example.com:{here.port}/in?from=shop"
        assert post(url=url, body=b"{}", headers={}).is_success

    assert asked == ["hooks.example.com"]
    [got] = here.received
    assert got.path == "/in?from=shop"
    assert got.headers["host"] == f"hooks.example.com:{here.port}"


def test_the_certificate_of_another_name_is_refused_before_anything_is_sent(
    local_shop: None, names: dict[str, list[str]], certificate: ssl.SSLContext
) -> None:
    names["other.example.com"] = ["127.0.0.1"]

    with receiver(tls=certificate) as here, pytest.raises(NotSent) as refused:
        post(url=f"https://other.example.com:{here.port}/", body=b"{}", headers={})

    assert refused.value.code == "certificate_invalid"
    assert here.received == []


def test_a_certificate_that_nobody_vouches_for_is_refused(
    local_shop: None,
    names: dict[str, list[str]],
    certificate: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    names["hooks.example.com"] = ["127.0.0.1"]

    with receiver(tls=certificate) as here, pytest.raises(NotSent) as refused:
        post(url=f"https://hooks.example.com:{here.port}/", body=b"{}", headers={})

    assert refused.value.code == "certificate_invalid"
    assert here.received == []


def test_plain_http_behind_an_https_address_is_refused(
    local_shop: None, names: dict[str, list[str]]
) -> None:
    names["hooks.example.com"] = ["127.0.0.1"]

    with receiver(answer(200)) as here, pytest.raises(NotSent) as refused:
        post(
            url=f"https://hooks.example.com:{here.port}/", body=b"{}", headers={}, timeout_seconds=3
        )

    assert refused.value.code in ("connection_failed", "timed_out")
    assert here.received == []
