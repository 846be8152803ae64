"""`python -m site_config.supervisor` starts the shop; `--check-address` only tries HOST and PORT."""

from __future__ import annotations

import os
import sys

from site_config.supervisor.house import House
from site_config.supervisor.plan import Refusal, read_plan
from site_config.supervisor.preparation import explain, require_free_address


def main(arguments: list[str]) -> int:
    try:
        plan = read_plan(os.environ)
        require_free_address(plan)
        if "--check-address" in arguments:
            return 0
        return House(plan).run()
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        return refusal.code
    except OSError as error:
        print(explain(error), file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
