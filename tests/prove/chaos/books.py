"""What the tables say when everything has settled. SQL alone: the shop's own code is not asked."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.prove.chaos.parts import Shop

PAID_AT_SANDBOX = """
    SELECT object_id FROM stripe_sandbox_sandboxobject
    WHERE kind = 'checkout.session' AND data ->> 'payment_status' = 'paid'
"""
WRONG = {
    "paid at the sandbox, not paid here": f"""
        SELECT session.object_id FROM ({PAID_AT_SANDBOX}) session
        LEFT JOIN orders_payment payment ON payment.stripe_session_id = session.object_id
        LEFT JOIN orders_order ord ON ord.id = payment.order_id AND ord.status = 'paid'
        WHERE ord.id IS NULL""",
    "paid here, not paid at the sandbox": f"""
        SELECT ord.number FROM orders_order ord WHERE ord.status = 'paid' AND NOT EXISTS (
            SELECT 1 FROM orders_payment payment JOIN ({PAID_AT_SANDBOX}) session
            ON session.object_id = payment.stripe_session_id WHERE payment.order_id = ord.id)""",
    "paid, and a file not granted": """
        SELECT ord.number, line.asset_id FROM orders_order ord
        JOIN orders_orderitem item ON item.order_id = ord.id
        JOIN orders_orderitemasset line ON line.order_item_id = item.id
        LEFT JOIN downloads_userasset g ON g.order_item_id = item.id AND g.asset_id = line.asset_id
        WHERE ord.status = 'paid' AND g.id IS NULL""",
    "granted, and not paid": """
        SELECT g.id FROM downloads_userasset g
        JOIN orders_orderitem item ON item.id = g.order_item_id
        JOIN orders_order ord ON ord.id = item.order_id WHERE ord.status <> 'paid'""",
    "granted, and not in the delivery list": """
        SELECT g.id FROM downloads_userasset g LEFT JOIN orders_orderitemasset line
        ON line.order_item_id = g.order_item_id AND line.asset_id = g.asset_id
        WHERE line.id IS NULL""",
    "granted twice": """
        SELECT order_item_id, asset_id, seat FROM downloads_userasset
        GROUP BY 1, 2, 3 HAVING count(*) > 1""",
    "a grant taken back": "SELECT grant_id FROM downloads_revocation",
    "a fact with two outbox rows": """
        SELECT kind, fact FROM orders_outboxmail GROUP BY 1, 2 HAVING count(*) > 1""",
    "a paid order without exactly one receipt": """
        SELECT ord.number FROM orders_order ord LEFT JOIN orders_outboxmail mail
        ON mail.order_id = ord.id AND mail.kind = 'receipt'
        WHERE ord.status = 'paid' GROUP BY 1 HAVING count(mail.id) <> 1""",
    "a letter not sent": "SELECT dedupe_key FROM orders_outboxmail WHERE status <> 'sent'",
}
UNSETTLED = {
    "letters": "SELECT count(*) FROM orders_outboxmail WHERE status = 'queued'",
    "events at the sandbox": """
        SELECT count(*) FROM stripe_sandbox_sandboxdelivery WHERE status = 'pending'""",
    "events in the inbox": """
        SELECT count(*) FROM orders_stripeevent WHERE status NOT IN ('handled', 'ignored')""",
    "tasks": "SELECT count(*) FROM django_tasks_database_dbtaskresult WHERE status = 'READY'",
}


def unsettled(shop: Shop) -> dict[str, int]:
    """What is still under way, by kind; empty when nothing is."""
    counts = {what: int(str(shop.query(sql)[0][0])) for what, sql in UNSETTLED.items()}
    return {what: count for what, count in counts.items() if count}


def wrong(shop: Shop) -> dict[str, list[tuple[object, ...]]]:
    """Every rule that does not hold, with its first ten offenders."""
    found = {rule: shop.query(f"{sql} LIMIT 10") for rule, sql in WRONG.items()}
    return {rule: rows for rule, rows in found.items() if rows}


def paid_sessions(shop: Shop) -> set[str]:
    return {str(row[0]) for row in shop.query(PAID_AT_SANDBOX)}


def letters_that_never_came(shop: Shop, letters: Path) -> tuple[list[str], int]:
    """Message-IDs that we call sent and the mail server never took; and how many it took twice or more."""
    taken = Counter(line.split()[0] for line in letters.read_text().splitlines() if line.strip())
    sent = [str(row[0]) for row in shop.query("SELECT message_id FROM orders_outboxmail")]
    return [each for each in sent if each not in taken], sum(n > 1 for n in taken.values())
