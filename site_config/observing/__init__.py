"""What an operator sees of the shop: its log, its figures, its traces and its faults.

redaction  the net: what is personal or secret and must not leave the shop, whoever wrote it down
routes     which page was asked for, without its ids and tokens
logs       one line for each record, as JSON or plain
requests   the id of each request, its one line in the log, and its share in the figures
tasks      the same for tasks of the worker
metrics    the figures of requests, and the page that Prometheus reads
gauges     what the database knows: queues, inbox, outbox
tracing    OpenTelemetry, when an address says where to
faults     Sentry, when a DSN says where to
"""
