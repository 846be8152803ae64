"""Become another Python program that ends when its parent is killed outright.

    python -m site_config.supervisor.child PARENT_PID manage.py db_worker
    python -m site_config.supervisor.child PARENT_PID -m gunicorn site_config.wsgi:application

A parent that ends politely ends its children itself. After a SIGKILL it cannot; then Linux sends
the children SIGTERM in its place. Other systems have nothing like it, and do without.
"""

from __future__ import annotations

import ctypes
import os
import runpy
import signal
import sys

PR_SET_PDEATHSIG = 1  # prctl(2)


def main(arguments: list[str]) -> None:
    parent, *program = arguments
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != int(parent):  # it died before the line above could take effect
            sys.exit(1)
    if program[0] == "-m":
        sys.argv = program[1:]
        runpy.run_module(program[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = program
        runpy.run_path(program[0], run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])
