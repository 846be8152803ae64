"""`Idempotency-Key`: a create that is sent again answers as it did, and is done once.

A view says so by IdempotentCreateMixin. The rules are told to clients in docs/api-idempotency.md.

    keys.py     which request this is: caller, key and what is asked, as digests
    claims.py   who may do the work: one row, inserted before it, answered after it
    sealing.py  the stored answer, encrypted
    views.py    the mixin
    schema.py   what the OpenAPI document says of it
"""

from store_api.idempotency.schema import IdempotentSchemaMixin, idempotency_parameters
from store_api.idempotency.views import IdempotentCreateMixin

__all__ = ["IdempotentCreateMixin", "IdempotentSchemaMixin", "idempotency_parameters"]
