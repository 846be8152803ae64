"""What the shop stands on, as Django's settings have it: the storage of paid files, and PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class ProtectedStorageConfig:
    """Where paid files are kept, and by which road they reach their owners."""

    kind: str
    accel_redirect: str
    bucket: str
    region: str
    access_key: str
    secret_key: str
    endpoint_url: str
    public_url: str
    cloudfront_domain: str
    cloudfront_key_id: str
    cloudfront_key: str

    @property
    def is_s3(self) -> bool:
        return self.kind == "s3"

    def as_storage(self, local_root: Path) -> dict[str, Any]:
        """The entry of Django's STORAGES."""
        if not self.is_s3:
            return {
                "BACKEND": "catalog_pages.storage.ProtectedFileSystemStorage",
                "OPTIONS": {"location": str(local_root)},
            }
        return {
            "BACKEND": "catalog_pages.storage_s3.ProtectedS3Storage",
            "OPTIONS": {
                "bucket_name": self.bucket,
                "region_name": self.region or None,
                "access_key": self.access_key or None,
                "secret_key": self.secret_key or None,
                "endpoint_url": self.endpoint_url or None,
                "public_url": self.public_url or None,
                "custom_domain": self.cloudfront_domain or None,
                "cloudfront_key_id": self.cloudfront_key_id or None,
                "cloudfront_key": self.cloudfront_key or None,
            },
        }


@dataclass(frozen=True)
class PostgresConfig:
    """How PostgreSQL is reached: a pool of our own, or pgbouncer's; and for how long it is waited for."""

    pool: bool
    pgbouncer: bool
    connect_seconds: int
    statement_seconds: int

    def as_database(self, *, threads: int) -> dict[str, Any]:
        """What is added to Django's DATABASES entry of a PostgreSQL. `threads`: of a web process."""
        options: dict[str, Any] = {
            "connect_timeout": self.connect_seconds,
            # A machine that vanished, or a network that swallows packets, is noticed within a minute.
            "keepalives_idle": 30,
            "keepalives_interval": 10,
            "keepalives_count": 3,
            "tcp_user_timeout": 30_000,
            # Prepared statements stay on a connection, and pgbouncer gives each transaction another.
            "prepare_threshold": None,
        }
        if self.pool:
            options["pool"] = {
                "min_size": 1,
                # One for each thread, as a download keeps its own until it ends, and some for what
                # runs beside.
                "max_size": threads + 4,
                "timeout": self.connect_seconds,  # however long a connection is waited for
                # The pool tries again after 1, 2, 4 … seconds: a long outage must not make long pauses.
                "reconnect_timeout": 2,
            }
        return {
            "CONN_MAX_AGE": 0,
            # A connection is looked at before each request has it: after a restart of the database the
            # next request works. Without a pool every request makes one of its own.
            "CONN_HEALTH_CHECKS": self.pool,
            "DISABLE_SERVER_SIDE_CURSORS": self.pgbouncer,
            "OPTIONS": options,
        }
