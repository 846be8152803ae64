"""From folders of music to products: read, group, store.

Public: ``service.ingest``, and what it returns and raises, in ``report``. Nothing is imported here,
because ``reading`` and ``service`` load PyAV, which a command may not need after all.

The steps, one module each; imports point down the list:

* ``service``   - the order of things; nothing else knows all of it
* ``products``  - one release becomes, or joins, one product page, in one transaction
* ``matching``  - which product a release belongs to, and which track a file
* ``covers``    - the embedded picture, stored once
* ``reading``   - one file: what it is, or why it is refused
* ``grouping``  - which files are one track, which tracks one release (no database, no disk)
* ``scan``      - which files there are
* ``terminal``  - progress, for people who run commands
* ``report``    - what came of it
"""
