"""The statements that make what was sold: accounts, orders and everything that hangs on them.

Order number `n` has payment `n` and the lines `2n` and, every third, `2n + 1`; keys that are UUIDs are made
of the number. So no statement has to look up what another has written. Of the first two thousand more are
disputed than of the others, so that the smallest shop fills a page of its disputes.
"""

from __future__ import annotations

from site_config.load_data.catalogue import picked

# As `NUMBER_ALPHABET` has it; the factor shares nothing with 30, so that no two orders get the same.
LETTERS = "'0123456789BCDFGHJKMNPQRSTVWXYZ'"
SHUFFLED = "(n * 387420489007) % 656100000000"
DIGITS = [f"substr({LETTERS}, 1 + (({SHUFFLED}) / {30**power} % 30)::int, 1)" for power in range(8)]
NUMBER = f"{' || '.join(DIGITS[:4])} || '-' || {' || '.join(DIGITS[4:])}"
HEX = "'0123456789ABCDEF', '23456789BCDFGHJK'"
CODE = f"translate(upper(substr(md5('code' || item), 1, 20)), {HEX})"
BETWEEN = ", ".join(f"substr({CODE}, {start}, 5)" for start in (1, 6, 11, 16))
# Few products sell much and many sell little: the cube of an even spread.
DRAW = "(abs(hashint8(o.n)) % 1000000)::bigint"
POPULAR = f"({DRAW} * {DRAW} / 1000000 * {DRAW} / 1000000 * :products / 1000000)"
COUNTRIES = "'GB','GB','GB','DE','FR','US','US','NL','SE','IE','ES','IT','AU','CA','JP','NO'"
COLOURS = "'visa','visa','mastercard','mastercard','amex'"

SALES: tuple[str, ...] = (
    """
    INSERT INTO accounts_user (id, password, is_superuser, first_name, last_name, is_staff, is_active,
        date_joined, email)
    SELECT 100000 + n, '!', false, '', '', false, true, now() - make_interval(days => 731),
        'listener' || n || '@example.com'
    FROM generate_series(0, :accounts - 1) n
    """,
    """
    INSERT INTO orders_discountcode (id, code, note, is_active, kind, percent, max_uses, ends_at, created_at)
    SELECT 1000 + n, 'CODE' || n, 'Campaign ' || n, n % 10 <> 3, 'percent', 10,
        CASE WHEN n % 7 = 2 THEN 100000 END, CASE WHEN n % 5 = 1 THEN now() - make_interval(days => 1) END,
        now() - make_interval(hours => n)
    FROM generate_series(0, :codes - 1) n
    """,
    """
    CREATE TEMPORARY TABLE load_order ON COMMIT DROP AS
    SELECT n, md5('order' || n)::uuid AS id,
        now() - make_interval(secs => :seconds::bigint * (:orders - n) / :orders) AS at,
        CASE WHEN n % 100 < 88 THEN 'paid' WHEN n % 100 < 95 THEN 'expired' WHEN n % 100 < 97 THEN 'failed'
             WHEN n % 100 < 99 THEN 'pending' ELSE 'processing' END AS status,
        CASE n % 20 WHEN 0 THEN 'EUR' WHEN 10 THEN 'USD' ELSE ':currency' END AS currency,
        n % 50 = 7 AS is_free,
        n % 10 = 3 AS has_code,
        CASE WHEN n % 10 < 7 THEN 100000 + abs(hashint8(n)) % :accounts END AS account,
        CASE WHEN n % 10 < 7 THEN 'listener' || abs(hashint8(n)) % :accounts || '@example.com'
             ELSE 'guest' || n % (:orders / 8 + 1) || '@example.net' END AS email
    FROM generate_series(1, :orders::bigint) n
    """,
    f"""
    CREATE TEMPORARY TABLE load_item ON COMMIT DROP AS
    SELECT o.*, k, 2 * o.n + k AS item, p.id AS product, p.title, p.n AS place,
        CASE WHEN is_free THEN 0 ELSE p.price END AS price,
        CASE WHEN o.n % 25 = 4 AND k = 0 THEN 2 ELSE 1 END AS quantity
    FROM load_order o
    CROSS JOIN LATERAL generate_series(0, CASE WHEN o.n % 3 = 0 AND :products > 1 THEN 1 ELSE 0 END) k
    JOIN load_product p ON p.n = CASE k WHEN 0 THEN {POPULAR}
        ELSE ({POPULAR} + 1 + o.n % (:products - 1)) % :products END
    """,
    "ALTER TABLE load_item ADD COLUMN discount bigint, ADD COLUMN total bigint",
    """
    UPDATE load_item SET discount = CASE WHEN has_code THEN price * quantity / 10 ELSE 0 END,
        total = price * quantity - CASE WHEN has_code THEN price * quantity / 10 ELSE 0 END
    """,
    """
    CREATE TEMPORARY TABLE load_sum ON COMMIT DROP AS
    SELECT n, sum(price * quantity) AS subtotal, sum(discount) AS discount, sum(total) AS total
    FROM load_item GROUP BY n
    """,
    "ANALYZE load_order", "ANALYZE load_item", "ANALYZE load_sum",
    f"""
    INSERT INTO orders_order (id, number, email, status, currency, subtotal_pennies, discount_pennies,
        tax_pennies, tax_behavior, total_pennies, consent_version, channel, cart_fingerprint, created_at,
        updated_at, paid_at, user_id, link_key, placed_as_guest, cancel_url, success_url, terms_version)
    SELECT id, {NUMBER}, email, status, currency, subtotal, s.discount, 0, 'none', s.total, '', 'web',
        md5('cart' || n) || md5('content' || n), at, at,
        CASE WHEN status = 'paid' THEN at + interval '2 minutes' END, account, substr(md5('key' || n), 1, 22),
        account IS NULL, '', '', ''
    FROM load_order o JOIN load_sum s USING (n) ORDER BY n
    """,
    """
    INSERT INTO orders_orderitem (id, position, title, artist_name, list_price_pennies, unit_price_pennies,
        quantity, discount_pennies, tax_pennies, total_pennies, order_id, product_id, gift_email,
        gift_message,
        is_gift)
    SELECT item, k, title, '', price, price, quantity, discount, 0, total, id, product, '', '', false
    FROM load_item ORDER BY item
    """,
    """
    INSERT INTO orders_orderitemasset (id, title, position, asset_id, order_item_id)
    SELECT item, title, 0, md5('asset' || place)::uuid, item FROM load_item ORDER BY item
    """,
    """
    INSERT INTO orders_discountuse (code_text, buyer_email, place, released_at, created_at, code_id, order_id)
    SELECT 'CODE' || n / 10 % :codes, email, CASE WHEN status <> 'expired' THEN n / 10 / :codes + 1 END,
        CASE WHEN status = 'expired' THEN at END, at, 1000 + n / 10 % :codes, id
    FROM load_order WHERE has_code
    """,
    f"""
    INSERT INTO orders_payment (id, attempt, kind, status, amount_pennies, captured_pennies, currency,
        request,
        idempotency_key, stripe_session_id, stripe_payment_intent_id, stripe_charge_id, livemode, url,
        card_brand,
        card_last4, country, expires_at, created_at, paid_at, order_id)
    SELECT n, 1, CASE WHEN total = 0 THEN 'free' ELSE 'stripe' END,
        CASE WHEN status = 'pending' THEN 'open' ELSE status END, total,
        CASE WHEN status = 'paid' THEN total END, currency,
        jsonb_build_object('mode', 'payment', 'line_items', repeat('a line that was agreed; ', 12)),
        'load-' || n,
        CASE WHEN total > 0 THEN 'cs_test_' || md5('cs' || n) || md5('ses' || n) END,
        CASE WHEN total > 0 AND status = 'paid' THEN 'pi_' || substr(md5('pi' || n), 1, 24) END,
        CASE WHEN total > 0 AND status = 'paid' THEN 'ch_' || substr(md5('ch' || n), 1, 24) END,
        false, '', {picked(COLOURS, "n")}, lpad((abs(hashint8(n)) % 10000)::text, 4, '0'),
        CASE WHEN status = 'paid' THEN {picked(COUNTRIES, "n / 7")} ELSE '' END, at + interval '1 day',
        at + interval '1 minute', CASE WHEN status = 'paid' THEN at + interval '2 minutes' END, id
    FROM load_order JOIN load_sum USING (n) ORDER BY n
    """,
    """
    CREATE TEMPORARY TABLE load_refund ON COMMIT DROP AS
    SELECT n, id, total, currency, md5('refund' || n)::uuid AS refund, n % 50 = 28 AS is_part, at
    FROM load_order JOIN load_sum USING (n) WHERE status = 'paid' AND total > 2 AND n % 25 = 3
    """,
    """
    INSERT INTO orders_refund (id, stripe_refund_id, amount_pennies, currency, status, reason, note, failure,
        created_at, updated_at, succeeded_at, payment_id)
    SELECT refund, 're_' || substr(md5('re' || n), 1, 24), CASE WHEN is_part THEN total / 2 ELSE total END,
        currency, CASE WHEN n % 500 = 28 THEN 'pending' WHEN n % 500 = 53 THEN 'failed' ELSE 'succeeded' END,
        'requested_by_customer', '', '', least(at + interval '3 days', now()), now(),
        CASE WHEN n % 500 NOT IN (28, 53) THEN least(at + interval '3 days', now()) END, n
    FROM load_refund
    """,
    """
    INSERT INTO orders_refundline (amount_pennies, revokes, item_id, refund_id)
    SELECT total / 2, true, 2 * n, refund FROM load_refund WHERE is_part
    """,
    f"""
    INSERT INTO orders_dispute (id, payment_id, stripe_dispute_id, status, reason, amount_pennies, currency,
        opened_at, updated_at, lost_at)
    SELECT n, n, 'dp_' || substr(md5('dp' || n), 1, 24),
        {picked("'needs_response','won','lost','under_review','won'", "n / 200")}, 'fraudulent', total,
        currency,
        least(at + interval '9 days', now()), now(),
        CASE WHEN n / 200 % 5 = 2 THEN least(at + interval '40 days', now()) END
    FROM load_order JOIN load_sum USING (n)
    WHERE status = 'paid' AND total > 0 AND n % CASE WHEN n < 2000 THEN 30 ELSE 200 END = 11
    """,
    """
    INSERT INTO orders_orderanomaly (id, order_id, code, reference, detail, created_at, resolved_at)
    SELECT n, id, 'captured_differs', 'pi_' || substr(md5('pi' || n), 1, 24), '', at,
        CASE WHEN n % 8000 <> 13 THEN at END
    FROM load_order WHERE n % 1000 = 13
    """,
    """
    INSERT INTO orders_ordernote (id, order_id, text, created_at)
    SELECT md5('note' || n)::uuid, id, 'Wrote to say thank you.', at FROM load_order WHERE n % 100 = 21
    """,
    """
    INSERT INTO orders_freecopy (id, order_id, reason, created_at)
    SELECT n, id, 'A review copy', at FROM load_order WHERE n % 5000 = 7
    """,
    f"""
    INSERT INTO orders_giftcode (id, order_item_id, seat, code, recipient_email, message, redeemed_at,
        redeemed_email, send_at, link_key, created_at)
    SELECT item, item, 1, concat_ws('-', {BETWEEN}), 'friend' || n || '@example.org', '',
        CASE WHEN n % 2 = 0 THEN at + interval '1 day' END,
        CASE WHEN n % 2 = 0 THEN 'friend' || n || '@example.org' ELSE '' END,
        CASE WHEN n % 500 = 29 THEN now() + interval '9 days' END, substr(md5('gift' || n), 1, 22), at
    FROM load_item WHERE quantity > 1 AND status = 'paid'
    """,
    """
    CREATE TEMPORARY TABLE load_grant ON COMMIT DROP AS
    SELECT n, k, item, seat, md5('grant' || item || ' ' || seat)::uuid AS id,
        md5('asset' || place)::uuid AS asset,
        title, at, CASE seat WHEN 0 THEN account END AS account,
        CASE WHEN seat = 1 THEN 'friend' || n || '@example.org' ELSE email END AS email
    FROM load_item CROSS JOIN LATERAL generate_series(0, CASE WHEN quantity > 1 AND n % 2 = 0 THEN 1 ELSE 0
        END) seat
    WHERE status = 'paid'
    """,
    """
    INSERT INTO downloads_userasset (id, email, seat, title, position, created_at, asset_id, order_item_id,
        user_id, download_limit, most_counted)
    SELECT id, email, seat, title, 0, at + interval '2 minutes', asset, item, account,
        CASE WHEN item % 120 = 1 THEN 3 END,
        CASE WHEN item % 120 = 1 THEN 3 WHEN item % 10 < 7 THEN 1 ELSE 0 END
    FROM load_grant ORDER BY item
    """,
    """
    INSERT INTO downloads_accessevent (kind, code, at, grant_id)
    SELECT 'granted', '', at + interval '2 minutes', id FROM load_grant ORDER BY item
    """,
    """
    CREATE TEMPORARY TABLE load_download ON COMMIT DROP AS
    SELECT id, asset, time, at + interval '5 minutes' + time * interval '1 hour' AS at
    FROM load_grant CROSS JOIN LATERAL generate_series(1, CASE WHEN item % 120 = 1 THEN 3
        WHEN item % 10 < 7 THEN 1 ELSE 0 END) time
    """,
    """
    INSERT INTO downloads_download (client, started_at, ends_at, sent_bytes, counted_at, is_current, asset_id,
        grant_id, covered, open_requests, promised_bytes, counted_by_link, scattered_bytes, shared)
    SELECT md5(id::text) || md5(time::text), at, at + interval '1 day', 20000000, at + interval '1 minute',
        true,
        asset, id, '[[0, 20000000]]', 0, 0, false, 0, '[]'
    FROM load_download ORDER BY at
    """,
    """
    INSERT INTO downloads_accessevent (kind, code, at, grant_id, asset_id)
    SELECT 'downloaded', '', at, id, asset FROM load_download ORDER BY at
    """,
    """
    INSERT INTO downloads_revocation (cause, created_at, grant_id)
    SELECT 'refund', least(g.at + interval '3 days', now()), g.id FROM load_grant g JOIN load_refund r USING
        (n)
    WHERE (k = 0 OR NOT is_part) AND n % 500 NOT IN (28, 53)
    """,
    """
    INSERT INTO downloads_revocation (cause, created_at, grant_id)
    SELECT 'dispute', g.at, g.id FROM load_grant g JOIN orders_dispute d ON d.id = g.n WHERE d.status <> 'won'
    """,
    """
    INSERT INTO downloads_accessevent (kind, code, at, grant_id)
    SELECT 'revoked', cause, created_at, grant_id FROM downloads_revocation
    """,
    """
    INSERT INTO orders_outboxmail (dedupe_key, kind, fact, order_id, to_email, subject, body_text, body_html,
        message_id, status, attempts, last_error, created_at, sent_at)
    SELECT 'receipt:' || id || ':0', 'receipt', id::text, id, email, 'Your order',
        repeat('Thank you. Your files are ready. ', 6), '', '<' || id || '@example.com>',
        CASE WHEN n % 4000 = 5 THEN 'failed' ELSE 'sent' END, 1, '', at + interval '3 minutes',
        CASE WHEN n % 4000 <> 5 THEN at + interval '3 minutes' END
    FROM load_order WHERE status = 'paid' ORDER BY n
    """,
    """
    INSERT INTO orders_outboxmail (dedupe_key, kind, fact, order_id, to_email, subject, body_text, body_html,
        message_id, status, attempts, last_error, created_at, sent_at)
    SELECT 'refunded:' || refund || ':0', 'refunded', refund::text, id, 'listener@example.com', 'Refunded',
        '',
        '', '<' || refund || '@example.com>', 'sent', 1, '', least(at + interval '3 days', now()), now()
    FROM load_refund
    """,
    """
    INSERT INTO orders_stripeevent (event_id, type, object_id, livemode, api_version, payload, created_at,
        received_at, status, attempts, error, handled_at, next_attempt_at, order_id)
    SELECT 'evt_' || substr(md5('evt' || n), 1, 24), 'checkout.session.' ||
            CASE status WHEN 'paid' THEN 'completed' ELSE 'expired' END,
        'cs_test_' || md5('cs' || n) || md5('ses' || n), false, '2025-01-01',
        jsonb_build_object('object', 'event', 'data', repeat('what Stripe told; ', 20)), at, at,
        CASE WHEN n % 20000 = 12 THEN 'failed' ELSE 'handled' END, 0, '',
        CASE WHEN n % 20000 <> 12 THEN at END,
        CASE WHEN n % 20000 = 12 THEN now() END, id
    FROM load_order JOIN load_sum USING (n) WHERE total > 0 AND status IN ('paid', 'expired') ORDER BY n
    """,
    """
    INSERT INTO orders_webhookendpoint (id, url, description, events, sealed_secret, sealed_previous_secret,
        is_active, disabled_reason, created_at, updated_at)
    SELECT md5('endpoint' || n)::uuid, 'https://partner' || n || '.example.com/hook', '', '["order.paid"]',
        'none', '', true, '', now(), now()
    FROM generate_series(1, 4) n
    """,
    """
    INSERT INTO orders_webhookevent (id, type, dedupe_key, occurred_at, payload, addressed_at)
    SELECT md5('told' || n)::uuid, 'order.paid', 'order.paid:' || id, at,
        jsonb_build_object('id', id, 'data', repeat('what is told; ', 20)), at
    FROM load_order WHERE status = 'paid' AND n % 2 = 0
    """,
    """
    INSERT INTO orders_webhookdelivery (id, event_id, endpoint_id, status, attempts, next_attempt_at,
        last_status_code, last_error, created_at, delivered_at)
    SELECT md5('delivery' || n || ' ' || one)::uuid, md5('told' || n)::uuid, md5('endpoint' || one)::uuid,
        CASE WHEN n % 3000 = 6 THEN 'given_up' WHEN n % 5000 = 22 THEN 'failed' ELSE 'delivered' END, 1,
        CASE WHEN n % 3000 <> 6 AND n % 5000 = 22 THEN now() END, 200, '', at,
        CASE WHEN n % 3000 <> 6 AND n % 5000 <> 22 THEN at END
    FROM load_order CROSS JOIN generate_series(1, 2) one WHERE status = 'paid' AND n % 2 = 0
    """,
    """
    INSERT INTO wagtailcore_modellogentry (label, action, data, timestamp, content_changed, deleted,
        content_type_id, object_id, uuid)
    SELECT 'Order', 'wagtail.edit', '{}', at, false, false, :order_type, id::text, md5('log' || n)::uuid
    FROM load_order WHERE n % 10 = 1
    """,
)  # fmt: skip
