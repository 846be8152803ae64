"""The lines of gunicorn's own process as JSON: `--logger-class site_config.observing.gunicorn_log.JsonLog`.

Those of its workers look like the shop's anyway, which they load; the process that starts them never does.
"""

from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger

from site_config.observing.logs import JsonLines


class JsonLog(Logger):
    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(JsonLines())
