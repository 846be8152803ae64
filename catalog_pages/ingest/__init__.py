"""From folders of music to products: read, group, store.

Public: `ingest` (the service), and what it returns: `IngestReport`, `Refusal`, `Progress`.

The steps, one module each, and imports point down the list:

* ``service``   - the order of things; nothing else knows all of it
* ``products``  - one release becomes, or joins, one product page, in one transaction
* ``matching``  - which product a release belongs to, and which track a file
* ``covers``    - the embedded picture, stored once
* ``reading``   - one file: what it is, or why it is refused
* ``grouping``  - which files are one track, which tracks one release (no database, no disk)
* ``scan``      - which files there are
* ``report``    - what came of it
"""

from catalog_pages.ingest.report import IngestRefused, IngestReport, Progress, Refusal
from catalog_pages.ingest.service import ingest

__all__ = ["IngestRefused", "IngestReport", "Progress", "Refusal", "ingest"]
