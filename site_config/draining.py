"""Whether this process has been told to end: known to the web server's worker and to the probes.

Without Django, which the worker is there before.
"""

from __future__ import annotations

import threading

asked_to_end = threading.Event()
