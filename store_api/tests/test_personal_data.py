"""All that is kept about an account: complete, its own alone, without secrets, and however long."""

from __future__ import annotations

import json
import tracemalloc
import uuid
from datetime import date, timedelta
from typing import Any

import jsonschema
import pytest
from allauth.account.models import EmailAddress
from allauth.idp.oidc.models import Client as App
from allauth.idp.oidc.models import Token
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator

from catalog_pages.models import ProductPage
from downloads.models import Download, UserAsset
from orders.models import (
    CartItem,
    GiftCode,
    Order,
    OrderAnomaly,
    OrderItem,
    OutboxMail,
    UpdateNotice,
    UpdateWish,
    WebhookEndpoint,
)
from orders.services.gifts import gift_redeem
from orders.services.personal_data import FIELDS_LEFT_OUT, LEFT_OUT, PROFILE, TABLES
from orders.services.personal_data.table import ROWS_AT_ONCE
from orders.tests.guesting import guest_buys, redeemed_gift
from orders.tests.happenings import dispute, refund_line
from orders.tests.hooks import make_endpoint
from orders.tests.test_gifts import bought
from site_config.accounts.models import User
from store_api.scopes import Scope
from store_api.tests.calling import app_of, third_party
from store_api.v1.serializers.account_examples import EXPORT
from tests.factories import PASSWORD, buy, make_cart, make_product, make_user

pytestmark = pytest.mark.django_db
ADA, BO, CY = "ada@example.com", "bo@example.com", "cy@example.com"
OWN_ROOMS = ("accounts", "orders", "downloads", "store_api")


def text_of(user: User) -> str:
    answer = app_of(user)("get", "me/export/")
    assert answer.status_code == 200
    return b"".join(answer.streaming_content).decode()


def export(user: User) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text_of(user))
    return found


def eventful() -> User:
    """An account with something in every table."""
    client, ada = Client(), make_user(ADA, first_name="Ada")
    harbour, tidewater = make_product("Harbour"), make_product("Tidewater")
    wish = {"email": BO, "message": "For the long drive"}
    order = bought(client, harbour, tidewater, quantity=2, user=ada, **wish)
    gift_redeem(code_text=GiftCode.objects.first().code, email=CY)  # type: ignore[union-attr]
    refund_line(order, "Harbour")
    dispute(client, order)
    given = bought(client, make_product("Given"), user=make_user(BO))
    gift_redeem(code_text=given.items.get().gift_codes.get().code, user=ada)
    grant = UserAsset.objects.filter(user=ada).first()
    assert grant is not None
    now = timezone.now()
    Download.objects.create(
        grant=grant, asset=grant.asset, client="d" * 64, started_at=now,
        ends_at=now + timedelta(hours=24), sent_bytes=5,
    )  # fmt: skip
    UpdateWish.objects.create(order_item=grant.order_item)
    UpdateNotice.objects.create(order_item=grant.order_item, asset=grant.asset)
    OrderAnomaly.objects.create(
        order=order, code="paid_twice", reference="pi_1", detail="To look at"
    )
    Authenticator.objects.create(user=ada, type=Authenticator.Type.TOTP, data={"secret": "sesame"})
    UserSession.objects.create(
        user=ada, ip="203.0.113.77", user_agent="Firefox", session_key="session-key"
    )
    third_party(Scope.ORDERS_READ, user=ada)
    App.objects.create(name="Ada's own", owner=ada)
    make_endpoint("https://ada.example/in", events=["order.paid"], description="Hers", by=ada)
    cart = make_cart(ada, make_product("Wanted"))
    CartItem.objects.filter(cart=cart).update(gift_send_on=date(2026, 12, 24))
    return ada


@pytest.fixture
def ada(db: None) -> User:
    return eventful()


# What is in it


def test_every_table_has_what_happened(ada: User) -> None:
    found = export(ada)

    assert [table.name for table in TABLES if not found[table.name]] == []
    assert found["profile"]["first_name"] == "Ada"
    assert [row["email"] for row in found["addresses"]] == [ADA]
    assert found["cart"][0]["product"] == "Wanted"
    assert {row["title"] for row in found["order_lines"]} == {"Harbour", "Tidewater"}
    assert found["payments"][0]["card_last4"] == "4242"
    assert found["webhook_endpoints"][0] | {"created_at": ""} == {
        "url": "https://ada.example/in",
        "description": "Hers",
        "events": ["order.paid"],
        "created_at": "",
    }
    assert found["refund_lines"][0]["order_line"] in {row["id"] for row in found["order_lines"]}
    assert found["gifts_bought"][0]["recipient_email"] == BO
    assert [row["is_redeemed"] for row in found["gifts_bought"]].count(True) == 1
    assert [row["title"] for row in found["gifts_redeemed"]] == ["Given"]
    assert {row["product"]: row["is_gift"] for row in found["grants"]} == {
        "Harbour": False,
        "Tidewater": False,
        "Given": True,
    }
    assert found["apps"][0] | {"created_at": "", "expires_at": ""} == {
        "app": "Needle Drop",
        "token_type": "access_token",
        "scopes": ["orders:read"],
        "created_at": "",
        "expires_at": "",
    }
    assert found["second_factors"][0]["type"] == "totp"
    assert [row["network"] for row in found["sessions"]] == ["203.0.113.0"]
    assert any(row["buyer"] for row in found["payment_messages"])


def test_it_is_a_file_that_nobody_keeps_on_the_way(ada: User) -> None:
    answer = app_of(ada)("get", "me/export/")

    assert answer["Content-Type"] == "application/json"
    assert answer["Content-Disposition"] == 'attachment; filename="personal-data.json"'
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.wide
def test_asking_for_its_head_reads_nothing(ada: User) -> None:
    app = app_of(ada)

    with CaptureQueriesContext(connection) as asked:
        answer = app("head", "me/export/")

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert b"".join(answer.streaming_content) == b""
    assert not [query for query in asked if "orders_order" in query["sql"]]


def test_an_account_that_did_nothing_has_its_account() -> None:
    found = export(make_user(ADA))

    assert found["profile"]["email"] == ADA
    assert {name for name, rows in found.items() if rows} == {"made_at", "profile", "addresses"}


@pytest.mark.wide
def test_what_an_address_bought_without_an_account_is_its_owners() -> None:
    ada = make_user(ADA)
    order = guest_buys(Client(), ADA)
    given = redeemed_gift(guest_buys(Client(), BO), ADA)

    found = export(ada)

    assert [row["number"] for row in found["orders"]] == [order.number]
    assert [row["purchase"] for row in found["gifts_redeemed"]] == [given.order_item_id]
    assert len(found["grants"]) == 2
    assert not Order.objects.filter(user=ada).exists()


@pytest.mark.wide
def test_what_an_address_bought_is_not_told_to_whoever_merely_typed_it() -> None:
    eve = make_user(ADA, verified=False)
    guest_buys(Client(), ADA)
    OutboxMail.objects.create(
        dedupe_key="guest_links:1:0", kind="guest_links", fact="1", to_email=ADA, message_id="1"
    )

    found = export(eve)

    assert {name for name, rows in found.items() if rows} == {"made_at", "profile", "addresses"}


# What is not


def test_no_secret_is_in_it(ada: User) -> None:
    secrets = {PASSWORD, ada.password, "sesame", "session-key", "203.0.113.77", "d" * 64}
    secrets |= set(Token.objects.values_list("hash", flat=True))
    secrets |= set(App.objects.values_list("secret", flat=True))
    secrets |= set(WebhookEndpoint.objects.values_list("sealed_secret", flat=True))
    secrets |= set(Order.objects.values_list("link_key", flat=True))
    secrets |= set(GiftCode.objects.values_list("link_key", flat=True))
    secrets |= set(
        GiftCode.objects.exclude(order_item__order__user=ada).values_list("code", flat=True)
    )

    text = text_of(ada)

    assert [secret for secret in secrets if secret in text] == []


def test_who_redeemed_a_gift_is_not_told_to_who_bought_it(ada: User) -> None:
    assert OutboxMail.objects.filter(order__user=ada, to_email=CY).exists()

    assert CY not in text_of(ada)


@pytest.mark.wide
def test_who_bought_a_gift_is_not_told_to_who_redeemed_it() -> None:
    cy, order = make_user(CY), bought(Client(), quantity=2, user=make_user(ADA), email=BO)
    gift_redeem(code_text=order.items.get().gift_codes.get().code, user=cy)

    text = text_of(cy)

    assert ADA not in text
    assert BO not in text
    assert order.number not in text


@pytest.mark.wide
def test_letters_of_somebody_elses_order_are_told_to_whom_they_went() -> None:
    cy, given = make_user(CY), bought(Client(), quantity=2, email=CY)
    gift_redeem(code_text=given.items.get().gift_codes.get().code, user=cy)

    letters = export(cy)["letters"]

    assert [(row["kind"], row["to_email"]) for row in letters] == [("gift", CY)]


def test_an_address_that_only_the_database_takes_for_mine_is_somebody_elses() -> None:
    ada = make_user("k@example.com")
    for number, address in enumerate(["K@example.com", "\u212a@example.com"]):
        OutboxMail.objects.create(
            dedupe_key=f"guest_links:{number}:0", kind="guest_links", fact="", to_email=address,
            message_id=str(number),
        )  # fmt: skip

    assert [row["to_email"] for row in export(ada)["letters"]] == ["K@example.com"]


def test_strangers_share_nothing(ada: User) -> None:
    stranger = make_user("stranger@example.com")
    buy(Client(), stranger, make_product("Elsewhere"))

    assert "Elsewhere" not in text_of(ada)
    assert ADA not in text_of(stranger)


# How long it may be


def bought_by_the_hundred(user: User, product: ProductPage, count: int) -> None:
    """That many paid orders of one line and one right each, written in one go."""
    now, asset = timezone.now(), product.tracks.get().files.get().asset
    orders = Order.objects.bulk_create(
        Order(
            user=user, email=user.email, status="paid", currency="GBP", subtotal_pennies=1,
            total_pennies=1, cart_fingerprint=uuid.uuid4().hex, paid_at=now,
        )
        for _ in range(count)
    )  # fmt: skip
    items = OrderItem.objects.bulk_create(
        OrderItem(
            order=order, product=product, position=0, title=product.title, list_price_pennies=1,
            unit_price_pennies=1, quantity=1, total_pennies=1,
        )
        for order in orders
    )  # fmt: skip
    UserAsset.objects.bulk_create(
        UserAsset(user=user, email=user.email, asset=asset, order_item=item, title="One")
        for item in items
    )


@pytest.mark.wide
def test_the_number_of_queries_does_not_grow() -> None:
    ada = make_user(ADA)
    product = make_product()
    bought_by_the_hundred(ada, product, 1)
    app = app_of(ada)
    with CaptureQueriesContext(connection) as few:
        b"".join(app("get", "me/export/").streaming_content)
    bought_by_the_hundred(ada, product, 450)

    with CaptureQueriesContext(connection) as many:
        found = json.loads(b"".join(app("get", "me/export/").streaming_content))

    assert len(found["grants"]) == 451
    assert len(many) == len(few) <= len(TABLES) + 8


@pytest.mark.wide
def test_memory_does_not_grow_either() -> None:
    ada = make_user(ADA)
    bought_by_the_hundred(ada, make_product(), 5_000)
    app = app_of(ada)
    tracemalloc.start()

    sizes = [len(piece) for piece in app("get", "me/export/").streaming_content]

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(sizes) > 4_000_000
    assert max(sizes) < 1_000 * ROWS_AT_ONCE
    assert peak < sum(sizes) / 2


def test_nobody_has_it_made_all_day_long() -> None:
    app = app_of(make_user())
    answers = [app("head", "me/export/") for _ in range(30)]

    answer = app("get", "me/export/")

    assert {answer.status_code for answer in answers} == {200}
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_requests")
    assert int(answer["Retry-After"]) > 0


# That all of this stays true


def schema_of_the_export() -> dict[str, Any]:
    document = SchemaGenerator(api_version="v1").get_schema(request=None, public=True)
    answer = document["paths"]["/api/v1/me/export/"]["get"]["responses"]["200"]
    schema: dict[str, Any] = answer["content"]["application/json"]["schema"]
    return schema | {"components": document["components"]}


def closed(schema: Any) -> Any:
    """The same schema, that takes nothing beside what it names."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: closed(part) for name, part in schema.items()}
    return found | ({"additionalProperties": False} if "properties" in found else {})


@pytest.mark.wide
def test_the_export_is_what_the_schema_says_to_the_last_field(ada: User) -> None:
    schema = closed(schema_of_the_export())

    jsonschema.Draft202012Validator(schema).validate(export(ada))
    jsonschema.Draft202012Validator(schema).validate(EXPORT.value)


def tells_of_people(model: type[models.Model]) -> bool:
    fields = [field for field in model._meta.get_fields() if field.concrete]
    return any(
        field.related_model is get_user_model()
        or isinstance(field, models.EmailField)
        or "email" in field.name
        for field in fields
    )


def test_every_model_that_tells_of_people_is_exported_or_left_out_with_a_reason() -> None:
    every = [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label in OWN_ROOMS or tells_of_people(model)
    ]
    labels = {model._meta.label for model in every}
    exported = {table.model._meta.label for table in (PROFILE, *TABLES)}

    assert len(labels) > 40
    assert labels - exported - set(LEFT_OUT) == set()
    assert set(LEFT_OUT) & exported == set()
    assert set(LEFT_OUT) - labels == set()
    assert all(LEFT_OUT.values())


def test_the_document_tells_of_every_table() -> None:
    text = (settings.BASE_DIR / "docs" / "privacy.md").read_text()

    assert [table.name for table in (PROFILE, *TABLES) if f"`{table.name}`" not in text] == []


def test_names_of_tables_are_their_own() -> None:
    names = [table.name for table in (PROFILE, *TABLES)]

    assert len(names) == len(set(names))


def test_every_field_of_an_exported_model_is_handed_out_or_left_out_with_a_reason() -> None:
    every, said = set(), set()
    for table in (PROFILE, *TABLES):
        label = table.model._meta.label
        every |= {f"{label}.{field.name}" for field in table.model._meta.concrete_fields}
        paths = {table.column(name).path.split("__")[0] for name in table.columns}
        said |= {f"{label}.{path}" for path in paths}
    left_out = {name for names in FIELDS_LEFT_OUT.values() for name in names}

    unsaid = {name for name in every - said if not name.endswith(".id")}

    assert unsaid == left_out


@pytest.mark.wide
def test_addresses_of_others_are_not_looked_up_by_mine() -> None:
    ada = make_user(ADA)
    EmailAddress.objects.create(user=ada, email=BO, verified=False)
    guest_buys(Client(), BO)

    assert export(ada)["orders"] == []
