"""Only Stripe is believed, only for five minutes, and only for exactly the bytes that it signed."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orders.models import StripeEvent
from orders.stripe_facts import WebhookRejected
from orders.stripe_gateway import parse_webhook
from orders.tests.signed import OTHER_SECRET, SECRET, digest, event_body, post, sign

pytestmark = pytest.mark.django_db
BODY = event_body()
# The database of a test is the same for all examples; nothing of what is refused remains in it.
MANY = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def now() -> int:
    return int(time.time())


def is_refused(
    client: Client, caplog: pytest.LogCaptureFixture, body: bytes, header: str | None
) -> bool:
    """Whether the answer is 400 with nothing stored and one calm line in the log."""
    caplog.clear()
    response = post(client, body, header)
    if response.status_code != 400:
        return False
    assert not StripeEvent.objects.exists()
    (line,) = caplog.messages
    assert line.startswith("Webhook refused: ")
    assert caplog.records[0].levelname == "WARNING"
    assert caplog.records[0].exc_info is None
    assert len(line.splitlines()) == 1
    assert len(line) < 300
    return True


@pytest.mark.parametrize("secret", [SECRET, OTHER_SECRET])
def test_either_secret_is_good_while_they_are_rolled(client: Client, secret: str) -> None:
    assert post(client, BODY, sign(BODY, secret)).status_code == 200
    assert StripeEvent.objects.get().event_id == "evt_1"


@pytest.mark.parametrize("template", [
    "t={t},v1={bad},v1={good}", "t={t},v1={good},v1={bad}", "v1={good},t={t}", "t={t},v0={bad},v1={good}",
    "t={t},v2=x,v1={other},v1={bad}", "v0=,t={t},v1={good}",
])  # fmt: skip
def test_one_good_signature_among_others_is_enough(client: Client, template: str) -> None:
    t = now()
    header = template.format(
        t=t, bad="0" * 64, good=digest(BODY, t), other=digest(BODY, t, OTHER_SECRET)
    )

    assert post(client, BODY, header).status_code == 200


def test_without_a_secret_nothing_is_believed(
    client: Client, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    for secrets in ([], [""], [" "], ["whsec_other"]):
        settings.STRIPE_WEBHOOK_SECRETS = secrets
        for secret in (SECRET, "", " "):
            assert is_refused(client, caplog, BODY, sign(BODY, secret))


@pytest.mark.parametrize(
    ("age", "is_believed"),
    [
        (0, True), (299, True), (300, True), (301, False), (86_400, False),
        (-299, True), (-300, True), (-301, False), (-86_400, False),
    ],
)  # fmt: skip
def test_a_signature_is_good_for_five_minutes_either_way(age: int, is_believed: bool) -> None:
    moment = 1_800_000_000
    header = sign(BODY, stamp=moment - age)

    with pytest.MonkeyPatch.context() as clock:
        clock.setattr(time, "time", lambda: float(moment))
        try:
            event = parse_webhook(BODY, header)
        except WebhookRejected:
            event = None

    assert (event is not None) == is_believed


@pytest.mark.parametrize("age", [3600, 310, -310, -3600, 1_700_000_000, -(10**12)])
def test_an_old_or_future_signature_is_refused(
    client: Client, caplog: pytest.LogCaptureFixture, age: int
) -> None:
    assert is_refused(client, caplog, BODY, sign(BODY, stamp=now() - age))


def test_a_byte_altered_anywhere_in_the_body_is_noticed(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    header = sign(BODY)

    for place in range(len(BODY)):
        altered = bytearray(BODY)
        altered[place] ^= 1
        assert is_refused(client, caplog, bytes(altered), header), place


def test_a_character_altered_anywhere_in_the_header_is_noticed(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    header = sign(BODY)

    for place in range(len(header)):
        altered = f"{header[:place]}{chr(ord(header[place]) ^ 1)}{header[place + 1 :]}"
        assert is_refused(client, caplog, BODY, altered), altered
        assert is_refused(client, caplog, BODY, header[:place] + header[place + 1 :]), place


@pytest.mark.parametrize(
    "altered",
    [
        b" " + BODY, BODY + b"\n", BODY + b"\0", b"\xef\xbb\xbf" + BODY, BODY[:-1], b"", BODY * 2,
        json.dumps(json.loads(BODY), indent=1).encode(),
        json.dumps(json.loads(BODY), separators=(",", ":")).encode(),
        json.dumps(json.loads(BODY), sort_keys=True).encode(),
        BODY.replace(b"evt_1", b"evt_\\u0031"), BODY.decode().encode("utf-16"), b"\xff\xfe",
    ],
)  # fmt: skip
def test_other_bytes_are_refused_even_if_they_mean_the_same(
    client: Client, caplog: pytest.LogCaptureFixture, altered: bytes
) -> None:
    assert is_refused(client, caplog, altered, sign(BODY))


HEADERS = {
    "none": None,
    "empty": "",
    "a space": " ",
    "commas": ",,,",
    "equals": "===",
    "no stamp": "v1={good}",
    "an empty stamp": "t=,v1={good}",
    "a negative stamp": "t=-1,v1={minus}",
    "a float": "t={t}.0,v1={good}",
    "an exponent": "t=1e9,v1={good}",
    "hexadecimal": "t=0x6b49d200,v1={good}",
    "words": "t=now,v1={good}",
    "a stamp of 5,000 digits": "t=" + "9" * 5000 + ",v1={good}",
    "an old stamp before the good one": "t=1,t={t},v1={good}",
    "no signature": "t={t}",
    "an empty signature": "t={t},v1=",
    "an empty signature of spaces": "t={t},v1= ",
    "half a signature": "t={t},v1={half}",
    "too much of a signature": "t={t},v1={good}0",
    "upper case": "t={t},v1={upper}",
    "v0 only": "t={t},v0={good}",
    "v2 only": "t={t},v2={good}",
    "v1 in upper case": "t={t},V1={good}",
    "another separator": "t={t};v1={good}",
    "spaces": "t = {t}, v1 = {good}",
    "not ASCII": "t={t},v1={good}é",
    "digits of another script": "t=١٢٣٤,v1={good}",
    "Latin-1": "t={t},v1=\xa0{good}",
    "NUL": "t={t},v1={good}\0",
    "a new line": "t={t},v1={good}\n",
    "a header within": "t={t}\r\nX-Other: 1,v1={good}",
    "ten kilobytes": "t={t}," + "v0=0,v2=1," * 1000 + "v1=0",
    "a kilobyte of signatures": "t={t}" + ",v1=0" * 2000,
    "of another shop": "t={t},v1={foreign}",
    "of an empty body": "t={t},v1={of_nothing}",
}


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_that_proves_nothing_is_refused(
    client: Client, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    t, template = now(), HEADERS[name]
    good = digest(BODY, t)
    values = {
        "t": t, "good": good, "half": good[:32], "upper": good.upper(), "minus": digest(BODY, -1),
        "foreign": digest(BODY, t, "whsec_other"), "of_nothing": digest(b"", t),
    }  # fmt: skip
    assert good.upper() != good  # as good as always it has a letter

    header = None if template is None else template.format(**values)

    assert is_refused(client, caplog, BODY, header)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b"1", b'"evt_1"', b"{}", b'{"id":"evt_1"}', b"\xff\xfe", b"9" * 5000,
        b"[" * 100_000, b"\xef\xbb\xbf" + BODY, BODY.decode().encode("utf-16"),
        BODY.replace(b"evt_1", b"evt_\\ud800"), BODY.replace(b"evt_1", b"evt_\\u0000"),
        event_body(data=None), event_body(data={"object": None}), event_body(data={"object": []}),
        event_body(id=""), event_body(id=None), event_body(id=1), event_body(type=None),
        event_body(livemode="false"), event_body(livemode=0), event_body(created="soon"),
        event_body(created=None), event_body(created=10**17), event_body(created=10**30),
        event_body(created=float("nan")), event_body(extra=float("inf")),
        BODY.replace(b"1800000000", b"1e400"),
    ],
    ids=lambda body: repr(body[:20]),
)  # fmt: skip
def test_what_is_signed_and_still_no_event_is_refused(
    client: Client, caplog: pytest.LogCaptureFixture, body: bytes
) -> None:
    assert is_refused(client, caplog, body, sign(body))


@MANY
@given(body=st.binary(max_size=300), header=st.text(max_size=200))
def test_noise_is_refused(
    client: Client, caplog: pytest.LogCaptureFixture, body: bytes, header: str
) -> None:
    assert is_refused(client, caplog, body, header)


@MANY
@given(
    body=st.one_of(st.binary(max_size=300), st.just(BODY)),
    parts=st.lists(
        st.tuples(
            st.sampled_from(["t", "v0", "v1", "", " t"]),
            st.one_of(
                st.integers().map(str),
                st.integers(-300, 300).map(lambda age: str(now() - age)),
                st.binary(max_size=32).map(bytes.hex),
                st.text(max_size=20),
            ),
        ),
        max_size=6,
    ),
)
def test_noise_that_looks_like_a_signature_is_refused(
    client: Client,
    caplog: pytest.LogCaptureFixture,
    body: bytes,
    parts: list[tuple[str, str]],
) -> None:
    header = ",".join(f"{name}={value}" for name, value in parts)

    assert is_refused(client, caplog, body, header)


@MANY
@given(body=st.binary(max_size=300))
def test_noise_is_refused_even_when_it_is_signed(
    client: Client, caplog: pytest.LogCaptureFixture, body: bytes
) -> None:
    assert is_refused(client, caplog, body, sign(body))


ODD = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(10**20), 10**20), st.floats(), st.text(max_size=20)
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=8), inner, max_size=2)
    ),
    max_leaves=4,
)


@MANY
@given(
    changes=st.dictionaries(
        st.sampled_from(["id", "type", "livemode", "api_version", "created", "data", "object"]),
        ODD,
        max_size=2,
    ),
    subject=st.one_of(
        st.none(),
        st.dictionaries(
            st.sampled_from(["id", "object", "metadata", "payment_intent"]), ODD, max_size=3
        ),
    ),
)
def test_an_event_of_odd_shape_is_kept_or_refused_and_never_an_error(
    client: Client, changes: dict[str, Any], subject: dict[str, Any] | None
) -> None:
    StripeEvent.objects.all().delete()
    data = {} if subject is None else {"data": {"object": subject}}
    body = event_body(**{**data, **changes})

    status = post(client, body, sign(body)).status_code

    assert (status, StripeEvent.objects.count()) in {(200, 1), (400, 0), (503, 1)}
