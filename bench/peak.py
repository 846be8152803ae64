"""Run a command and print its peak memory in bytes to stderr's last line: `python -m bench.peak COMMAND`.

Small on purpose. What the system calls a process's peak includes the moment before it became what it is,
when it still was a copy of its parent; a large parent would be measured instead.
"""

from __future__ import annotations

import os
import subprocess
import sys


def main(command: list[str]) -> int:
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    unit = 1 if sys.platform == "darwin" else 1024
    print(usage.ru_maxrss * unit, file=sys.stderr)
    return process.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
