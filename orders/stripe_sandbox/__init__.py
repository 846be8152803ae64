"""Stripe's stand-in for a shop that has no key.

The real `stripe` library talks to this package through `transport.SandboxTransport`; nothing but
the transport, the base address and the keys differs from production. The package answers API
calls and posts signed events to the shop's webhook URL, and does nothing else: it imports no
other module of the shop and has no foreign key to another table.

Public, in reading order:

`transport.SandboxTransport`  the HTTP client to give to `stripe.StripeClient`
`api.handle`                  what the transport calls: one request in, one answer out
`actions`                     what buyers, banks and the clock do: pay, decline, delay, settle, ...
`delivery.deliver_due`        sends what is due; for a scheduler, safe in several processes at once
`controls`                    for tests and the page: hold, drop, repeat, reorder, take the API down
`urls`                        the payment page and the overview, for `/sandbox/`

Settings read: STRIPE_SANDBOX, SITE_BASE_URL, STRIPE_WEBHOOK_SECRET, STRIPE_SANDBOX_DELIVERY
("thread", the default, or "manual": nothing is sent until somebody asks).

Imports point one way: views, controls, transport -> api, actions -> endpoints -> checkout,
refunds, disputes -> events -> worker -> delivery -> models.
"""
