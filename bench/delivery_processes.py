"""What a server costs, as Linux counts it: CPU of a process and its children, and resident memory."""

from __future__ import annotations

from pathlib import Path

from tests.servers import Server


def cpu_seconds(*servers: Server) -> float:
    """Since they began, of all their threads; exact, where /proc/*/stat counts hundredths."""
    return sum(_cpu_seconds(pid) for server in servers for pid in (server.pid, *server.workers))


def _cpu_seconds(pid: int) -> float:
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


def forget_peaks(server: Server) -> None:
    """From here on `peak_bytes` means: since now."""
    for pid in server.workers:
        Path(f"/proc/{pid}/clear_refs").write_text("5")


def resident_bytes(server: Server) -> int:
    """Of its largest worker, now."""
    return max(_status_bytes(pid, "VmRSS") for pid in server.workers)


def peak_bytes(server: Server) -> int:
    return max(_status_bytes(pid, "VmHWM") for pid in server.workers)


def _status_bytes(pid: int, name: str) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split(f"{name}:")[1].split()[0]) * 1024
