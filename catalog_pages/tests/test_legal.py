"""Legal texts: written as a draft, published as versions that nobody can change, read by everybody."""

from __future__ import annotations

import json
import re
from contextlib import nullcontext
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from wagtail.models import ModelLogEntry

from catalog_pages.models import LegalKind, LegalText, LegalVersion
from catalog_pages.models.legal import LegalVersionsStay
from catalog_pages.tests.editors import owner_client
from catalog_pages.tests.test_shop_settings import staff_client
from orders.consent import CONSENT_TEXTS, CONSENT_VERSION
from orders.models import Order, OutboxMail
from orders.services.mail.letters import letter_write
from tests.factories import buy, make_cart, make_editor, make_product, make_user, start_checkout

pytestmark = pytest.mark.django_db


def content(*paragraphs: str) -> str:
    """What the rich text editor posts."""
    blocks = [
        {"key": f"k{place}", "type": "unstyled", "text": text, "depth": 0, "inlineStyleRanges": [],
         "entityRanges": []}
        for place, text in enumerate(paragraphs)
    ]  # fmt: skip
    return json.dumps({"blocks": blocks, "entityMap": {}})


def draft_of(client: Client, kind: str) -> LegalText:
    client.get(reverse("legal_texts:index"))
    return LegalText.objects.get(kind=kind)


def write(client: Client, kind: str, *paragraphs: str, publish: bool = False) -> HttpResponse:
    text = draft_of(client, kind)
    data = {"draft": content(*paragraphs)} | ({"action-publish": "1"} if publish else {})
    return client.post(reverse("legal_texts:edit", args=[text.pk]), data, follow=True)


def published(kind: str, body: str, version: int = 1) -> LegalVersion:
    return LegalVersion.objects.create(kind=kind, version=version, body=f"<p>{body}</p>")


def test_a_draft_is_nobody_elses(client: Client) -> None:
    answer = write(owner_client(), "terms", "You buy from us.")

    assert "Nobody else sees it yet" in answer.content.decode()
    assert not LegalVersion.objects.exists()
    assert client.get("/legal/terms/").status_code == 404
    assert "/legal/" not in client.get("/").content.decode()


def test_what_is_published_is_read_by_everybody_and_older_versions_stay(client: Client) -> None:
    desk = owner_client()
    write(desk, "terms", "You buy from us.", publish=True)
    write(desk, "terms", "You buy from us, at sea.", publish=True)

    newest, older = client.get("/legal/terms/"), client.get("/legal/terms/1/")

    assert "at sea" in newest.content.decode()
    assert "noindex" not in newest.content.decode()
    assert "You buy from us.</p>" in older.content.decode()
    assert "This is an older version" in older.content.decode()
    assert 'href="/legal/terms/"' in client.get("/").content.decode()
    for end in ("terms/3", "x", "terms/0", "terms/01"):
        assert client.get(f"/legal/{end}/").status_code == 404
    by = LegalVersion.objects.get(version=2)
    assert by.published_by is not None
    entries = ModelLogEntry.objects.filter(action="catalog_pages.legal_publish")
    assert [entry.data["comment"] for entry in entries.order_by("pk")] == ["Version 1", "Version 2"]


@pytest.mark.parametrize("change", [{"body": "<p>Other</p>"}, {"version": 9}, {"kind": "privacy"}])
def test_the_database_refuses_to_change_what_was_published(change: dict[str, Any]) -> None:
    version = published("terms", "You buy from us.")

    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
        LegalVersion.objects.filter(pk=version.pk).update(**change)

    assert LegalVersion.objects.get().text == "You buy from us."


def test_who_published_may_be_forgotten_and_never_becomes_somebody_else() -> None:
    owner, other = make_editor(), make_editor()
    version = LegalVersion.objects.create(kind="terms", version=1, body="x", published_by=owner)
    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
        LegalVersion.objects.filter(pk=version.pk).update(published_by=other)

    owner.delete()

    assert LegalVersion.objects.get().published_by is None


def test_nothing_of_ours_deletes_what_was_published() -> None:
    version = published("terms", "You buy from us.")

    for delete in (version.delete, LegalVersion.objects.all().delete):
        with pytest.raises(LegalVersionsStay):
            delete()

    assert LegalVersion.objects.exists()


def test_postgresql_refuses_to_delete_what_was_published() -> None:
    """SQLite cannot: whoever empties its tables, as its test runner does, deletes row by row."""
    published("terms", "You buy from us.")
    refused = pytest.raises(DatabaseError, match="never changes")
    is_refused = connection.vendor == "postgresql"

    with refused if is_refused else nullcontext(), transaction.atomic():
        connection.cursor().execute("DELETE FROM catalog_pages_legalversion")

    assert LegalVersion.objects.exists() == is_refused


@pytest.mark.wide
@pytest.mark.parametrize(
    ("kind", "paragraphs", "sentence"),
    [
        ("terms", [""], "Write the text first"),
        ("terms", [" \u00a0 "], "Write the text first"),
        ("consent", ["x" * 501], "at most 500 characters"),
        ("terms", ["As it was."], "word for word what is published already"),
    ],
)
def test_what_cannot_be_published_says_why_and_is_kept_as_a_draft(
    kind: str, paragraphs: list[str], sentence: str
) -> None:
    desk = owner_client()
    write(desk, "terms", "As it was.", publish=True)

    answer = write(desk, kind, *paragraphs, publish=True)

    assert sentence in answer.content.decode()
    assert LegalVersion.objects.count() == 1


def test_markup_that_an_editor_cannot_write_is_not_published(client: Client) -> None:
    write(owner_client(), "privacy", "<script>alert(1)</script> & more", publish=True)

    page = client.get("/legal/privacy/").content.decode()

    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_the_unsaved_text_is_previewed_and_nobody_else_sees_it(client: Client) -> None:
    desk = owner_client()
    preview = reverse("legal_texts:preview", args=[draft_of(desk, "terms").pk])

    checked = desk.post(preview, {"draft": content("Not yet.")})
    page = desk.get(preview)

    assert checked.json()["is_valid"]
    assert "Not yet." in page.content.decode()
    assert "not published yet" in page.content.decode()
    assert page["X-Frame-Options"] == "SAMEORIGIN"
    assert LegalText.objects.get(kind="terms").draft == ""
    assert client.get("/legal/terms/").status_code == 404


def test_writing_and_publishing_are_separate_rights(client: Client) -> None:
    writer = staff_client("catalog_pages.change_legaltext")
    page = writer.get(reverse("legal_texts:edit", args=[draft_of(writer, "terms").pk]))

    write(writer, "terms", "From the writer.", publish=True)

    assert "action-publish" not in page.content.decode()
    assert not LegalVersion.objects.exists()
    assert "From the writer" in LegalText.objects.get(kind="terms").draft


def test_without_a_right_there_is_nothing() -> None:
    draft = draft_of(owner_client(), "terms")
    outsider = staff_client("catalog_pages.view_artist")

    for name, args in (
        ("index", []),
        ("edit", [draft.pk]),
        ("preview", [draft.pk]),
        ("history", [draft.pk]),
    ):
        assert outsider.get(reverse(f"legal_texts:{name}", args=args)).status_code == 302


def test_the_list_takes_the_same_queries_for_any_number_of_versions() -> None:
    desk = owner_client()
    desk.get(reverse("legal_texts:index"))

    def queries() -> int:
        with CaptureQueriesContext(connection) as context:
            assert desk.get(reverse("legal_texts:index")).status_code == 200
        return len(context)

    published("terms", "One")
    few = queries()
    for number in range(2, 32):
        published("terms", f"Text {number}", number)

    assert queries() == few


def test_an_order_names_the_terms_and_the_consent_that_were_in_force(client: Client) -> None:
    published("terms", "You buy from us.")
    published("consent", "Send it now. I give up my right to withdraw.")
    order = buy(client, make_user(), make_product())
    published("terms", "You buy from us, at sea.", 2)
    published("consent", "Something else.", 2)
    client.force_login(order.user)

    page = client.get(order.get_absolute_url()).content.decode()
    letter = letter_write(mail=OutboxMail.objects.get(kind="receipt"))
    told = client.get(f"/api/v1/orders/{order.pk}/").json()
    client.force_login(make_editor())
    desk = client.get(reverse("order_desk:inspect", args=[order.pk])).content.decode()

    order.refresh_from_db()
    assert (order.terms_version, order.consent_version) == ("1", "1")
    assert told["terms_version"] == "1"
    assert told["consent"]["text"] == "Send it now. I give up my right to withdraw."
    for text in (page, letter.text, desk):
        assert "I give up my right to withdraw" in text
        assert "Something else" not in text
    assert "/legal/terms/1/" in page
    assert "/legal/terms/1/" in desk


@pytest.mark.wide
def test_orders_from_before_keep_the_words_that_they_had(client: Client) -> None:
    order = buy(client, make_user(), make_product())
    published("consent", "Something else.")
    client.force_login(order.user)

    page = client.get(order.get_absolute_url()).content.decode()

    assert order.consent_version == CONSENT_VERSION
    assert CONSENT_TEXTS[CONSENT_VERSION] in page


def test_the_cart_asks_for_the_shops_own_consent_and_links_its_terms(client: Client) -> None:
    user = make_user()
    make_cart(user, make_product())
    published("terms", "You buy from us.")
    published("consent", "Send it &amp; be quick.")
    client.force_login(user)

    page = client.get(reverse("orders:cart")).content.decode()

    assert "Send it &amp; be quick." in page
    assert 'name="consent_version"\n       value="1"' in page
    assert 'href="/legal/terms/"' in page


def test_a_consent_that_changed_meanwhile_is_asked_for_again(client: Client) -> None:
    user = make_user()
    make_cart(user, make_product())
    client.force_login(user)
    published("consent", "Something else.")

    client.post(
        reverse("orders:checkout_start"), {"consent": "yes", "consent_version": CONSENT_VERSION}
    )

    assert not Order.objects.exists()


@pytest.mark.wide
def test_other_terms_make_another_order_of_the_same_cart() -> None:
    user = make_user()
    make_cart(user, make_product())
    first = start_checkout(user).order
    published("terms", "You buy from us.")

    second = start_checkout(user).order

    assert first.pk != second.pk
    assert (first.terms_version, second.terms_version) == ("", "1")


def test_the_api_says_the_texts_in_force(client: Client) -> None:
    published("terms", "You buy from us.")
    published("terms", "You buy from us, at sea.", 2)
    published("imprint", "The Sea Wall")
    published("consent", "Send it now.")

    shop = client.get("/api/v1/shop/").json()

    assert shop["consent"] == {"version": "1", "text": "Send it now."}
    assert [(text["kind"], text["version"]) for text in shop["legal"]] == [
        ("imprint", "1"),
        ("terms", "2"),
    ]
    assert shop["legal"][1]["html"] == "<p>You buy from us, at sea.</p>"
    assert shop["legal"][1]["url"].endswith("/legal/terms/2/")


def test_the_footer_costs_no_query(client: Client) -> None:
    client.get("/")

    def queries() -> int:
        with CaptureQueriesContext(connection) as context:
            client.get("/")
        return len(context)

    before = queries()
    for kind in LegalKind.values:
        published(kind, "Words")

    page = client.get("/").content.decode()
    assert queries() == before
    links = re.findall(r'href="/legal/(\w+)/"', page)
    assert links == ["terms", "privacy", "imprint", "returns"]
