"""A PostgreSQL of a test's own, which can be killed, stopped in its tracks, and started again.

With pgbouncer before it, where a test wants that. No test is in here.
"""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from tests.server_processes import accepts, end, free_ports, program, spawn, wait_until
from tests.test_make_run import process_table


@dataclass
class Cluster:
    folder: Path
    port: int
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"postgres://store@127.0.0.1:{self.port}/store"

    def start(self) -> None:
        log = self.folder.parent / "postgres.log"
        self._process = spawn(postgres_command(self.folder, self.port), log=log)
        wait_until(lambda: answers(self.url), self._process, log)

    def kill(self) -> None:
        assert self._process is not None
        kill_family(self._process)
        self._process = None

    def signal(self, number: int) -> None:
        """To every process of it: SIGSTOP makes it hang, SIGCONT goes on."""
        assert self._process is not None
        for pid in family(self._process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def end(self) -> None:
        if self._process is not None:
            self.signal(signal.SIGCONT)
            end(self._process)


@contextmanager
def open_folder() -> Iterator[Path]:
    """Not pytest's: those are closed again to PostgreSQL's user whenever another pytest begins."""
    with TemporaryDirectory(prefix="digital-downloads-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@contextmanager
def postgres() -> Iterator[Cluster]:
    """Empty but for a database `store`, and up."""
    with open_folder() as folder:
        cluster = Cluster(folder / "cluster", free_ports(1)[0])
        make_cluster(cluster.folder)
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.end()


@contextmanager
def pgbouncer(cluster: Cluster) -> Iterator[str]:
    """Transaction mode, with two connections for everybody; the address that clients use."""
    executable = program("pgbouncer", "/usr/sbin/pgbouncer", install="apt-get install -y pgbouncer")
    (port,) = free_ports(1)
    config = cluster.folder.parent / "pgbouncer.ini"
    config.write_text(f"""[databases]
store = host=127.0.0.1 port={cluster.port} dbname=store user=store
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
max_client_conn = 200
""")
    config.chmod(0o644)
    log = cluster.folder.parent / "pgbouncer.log"
    process = spawn([*as_postgres(), executable, str(config)], log=log)
    try:
        wait_until(accepts(port), process, log)
        yield f"postgres://store@127.0.0.1:{port}/store"
    finally:
        end(process)


def answers(url: str) -> bool:
    with (
        suppress(psycopg.OperationalError),
        psycopg.connect(url, connect_timeout=5) as connection,
    ):
        return connection.execute("SELECT 1").fetchall() == [(1,)]
    return False


def family(pid: int) -> list[int]:
    """The process and all that came of it. PostgreSQL's children leave the process group."""
    table = process_table()
    found = [pid]
    for one in found:
        found += [child for child, (parent, _) in table.items() if parent == one]
    return found


def kill_family(process: subprocess.Popen[bytes]) -> None:
    """All at once, with no chance to say goodbye."""
    for pid in family(process.pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def postgres_command(folder: Path, port: int) -> list[str]:
    return [
        *as_postgres(), binary("postgres"), "-D", str(folder / "data"), "-k", str(folder),
        "-c", "listen_addresses=127.0.0.1", "-p", str(port), "-c", "fsync=off",
        "-c", "max_connections=100",
    ]  # fmt: skip


def make_cluster(folder: Path) -> None:
    """A database `store` of a user `store`, in the folder, which is made; anybody may pass to it."""
    folder.mkdir(mode=0o700)
    if as_postgres():
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    data = ["-D", str(folder / "data")]
    initdb = [*as_postgres(), binary("initdb"), *data, "-U", "store", "-A", "trust"]
    quietly([*initdb, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"])
    quietly(
        [*as_postgres(), binary("postgres"), "--single", *data, "postgres"],
        b"CREATE DATABASE store\n",
    )


def quietly(command: list[str], said: bytes = b"") -> None:
    subprocess.run(command, input=said, check=True, capture_output=True, cwd="/")


def binary(name: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else program(name, install="apt-get install -y postgresql")


def as_postgres() -> list[str]:
    """PostgreSQL refuses to run as root. With setpriv it stays our own child."""
    if os.geteuid() != 0:
        return []
    setpriv = program("setpriv", install="apt-get install -y util-linux")
    return [setpriv, "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]
