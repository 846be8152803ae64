"""The bench shows everything the sandbox knows, whole or narrowed to one session."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orders.stripe_sandbox import actions, controls
from orders.stripe_sandbox.models import SandboxEvent, SandboxObject
from orders.stripe_sandbox.tests.browsing import bench, everything, paid_session
from orders.stripe_sandbox.tests.factories import new_session
from orders.stripe_sandbox.tests.listener import Shop

pytestmark = pytest.mark.django_db


def test_an_empty_sandbox_says_so(client: Client) -> None:
    page = bench(client)

    for sentence in ("No session yet", "No refund", "No dispute", "Nothing has happened yet"):
        assert sentence in page


def test_everything_is_on_one_page(client: Client) -> None:
    session_id = everything()
    controls.deliver_all(Shop(500, OSError("nobody <listens>")))

    page = bench(client)

    assert session_id[:22] in page
    assert "complete, paid" in page
    for row in SandboxObject.objects.filter(kind__in=("payment_intent", "refund", "dispute")):
        assert row.object_id in page
    for event in SandboxEvent.objects.all():
        assert event.event_id in page
        assert event.type in page
    assert "£0.99 refunded" in page
    assert "last answer <span" in page
    assert "last error: nobody <listens>" in page
    assert "&lt;listens&gt;" in client.get("/sandbox/").content.decode()


def test_the_page_can_be_narrowed_to_one_session(client: Client) -> None:
    wanted, other = everything(), everything()

    page = bench(client, session=wanted)

    assert wanted in page
    assert other[:22] not in page
    shown = set(re.findall(r"\b(?:evt_1|re_3|du_1|pi_3)\w{23}", page))
    events = SandboxEvent.objects.filter(subject=wanted).values_list("event_id", flat=True)
    intent_id = SandboxObject.objects.get(object_id=wanted).payment_intent
    others = SandboxObject.objects.filter(kind__in=("refund", "dispute"), payment_intent=intent_id)
    assert shown == {*events, intent_id, *others.values_list("object_id", flat=True)}


def test_a_narrowed_page_stays_so_after_a_button(client: Client) -> None:
    session_id = paid_session()

    response = client.post(f"/sandbox/sessions/{session_id}/refund/", {"session": session_id})

    assert response.headers["Location"] == f"/sandbox/?session={session_id}"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "a\r\nb", "x&y="])
def test_a_button_leads_nowhere_but_to_the_bench(client: Client, elsewhere: str) -> None:
    response = client.post("/sandbox/controls/", {"deliveries": "hold", "session": elsewhere})

    assert response.headers["Location"] == "/sandbox/"


@pytest.mark.parametrize(
    "asked", ["cs_test_nothing", "evil\0", "<script>", "%", "٣", "x" * 10_000, "a b"]
)
def test_a_session_that_does_not_exist_is_a_sentence(client: Client, asked: str) -> None:
    everything()

    response = client.get("/sandbox/", {"session": asked})

    assert response.status_code == 200
    assert "There is no session with this id." in response.content.decode()
    assert "<script" not in response.content.decode()


def test_nonsense_shows_no_other_sessions_refunds_and_events(client: Client) -> None:
    everything()

    page = bench(client, session="a b")

    assert not re.findall(r"\b(?:evt_1|re_3|du_1|pi_3)\w{23}", page)


def test_older_sessions_and_events_are_on_further_pages(client: Client) -> None:
    made = [new_session().id for _ in range(26)]
    for session_id in made:
        actions.expire(session_id)
    first = bench(client)
    links = dict(re.findall(r'\?(older_\w+)=(\w+)"', first))

    older = bench(client, **links)

    assert links["older_sessions"] == made[1]
    assert made[0][:22] not in first.split('id="events"')[0]
    assert made[0][:22] in older.split('id="events"')[0]
    assert "Older sessions" not in older
    assert older.count("<h3>checkout.session.expired</h3>") == 1


@pytest.mark.parametrize("cursor", ["cs_test_nothing", "\0", "'"])
def test_a_cursor_that_names_nothing_shows_the_newest(client: Client, cursor: str) -> None:
    session_id = paid_session()

    page = bench(client, older_sessions=cursor, older_events=cursor)

    assert session_id[:22] in page


def test_more_rows_cost_no_more_queries(client: Client) -> None:
    everything()
    with CaptureQueriesContext(connection) as for_one:
        bench(client)
    for _ in range(3):
        everything()

    with CaptureQueriesContext(connection) as for_four:
        bench(client)

    assert len(for_four) == len(for_one)


def test_the_bench_is_never_cached_and_has_nothing_inline(client: Client) -> None:
    everything()

    response = client.get("/sandbox/")

    html = response.content.decode()
    assert "no-store" in response.headers["Cache-Control"]
    assert "<script" not in html
    assert "<style" not in html
    assert not re.search(r"\s(style|on\w+)=", html)


def test_every_field_has_a_label_and_every_form_that_posts_a_token(client: Client) -> None:
    everything()
    actions.refund(paid_session(), pending=True, amount=1)

    html = client.get("/sandbox/").content.decode()

    fields = re.findall(r'<(?:input|select)(?![^>]*type="hidden")[^>]*\bid="([^"]+)"', html)
    assert {*fields} <= {*re.findall(r'<label[^>]*\bfor="([^"]+)"', html)}
    assert len(fields) == len({*fields})
    assert html.count('method="post"') == html.count("csrfmiddlewaretoken")
    assert html.count('method="post"') > 10
