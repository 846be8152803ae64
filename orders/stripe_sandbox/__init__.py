"""Stripe's stand-in for a shop that has no key.

The real `stripe` library talks to this package through `transport.SandboxTransport`; nothing but
the transport, the base address and the keys differs from production. The package answers API
calls and posts signed events to the shop's webhook URL, and does nothing else: it imports no
other module of the shop and has no foreign key to another table.

Public, in reading order:

`transport.SandboxTransport`  the HTTP client to give to `stripe.StripeClient`
`http.application`            the same API as a WSGI application, for the library's own HTTP client
`api.handle`                  what both of them call: one request in, one answer out
`actions`                     what buyers, banks and the clock do: pay, refund, dispute, settle, ...
`delivery.deliver_due`        sends what is due; for a scheduler, safe in several processes at once
`controls`                    for tests and the page: hold, drop, repeat, reorder, take the API down
`urls`                        the payment page and the bench, for `/sandbox/`

Settings read: STRIPE_SANDBOX, SITE_BASE_URL, STRIPE_WEBHOOK_SECRET, STRIPE_SANDBOX_DELIVERY
("thread", the default, or "manual": nothing is sent until somebody asks).

Imports point one way: views, http, transport -> controls, api, actions -> endpoints -> checkout,
refunds, disputes -> events -> worker -> delivery -> models.
"""
