"""`manage.py draw_diagrams [--check]`: docs/diagrams.md from the code."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from site_config import diagrams

PAGE = """# Diagrams

Drawn from the code by `make diagrams`; do not edit this page by hand. A test fails when it is out of date.

## The road of a purchase

```mermaid
{flow}
```

## What moves a payment

Each arrow is a state of the Checkout Session as fetched from Stripe. Nothing leads away from `paid`.

```mermaid
{payments}
```

## Entities

```mermaid
{entities}
```
"""


class Command(BaseCommand):
    help = "Draw docs/diagrams.md from the models and functions; --check only compares."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="fail when the page is out of date"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path = settings.BASE_DIR / "docs" / "diagrams.md"
        text = PAGE.format(
            flow=diagrams.flow_diagram(),
            payments=diagrams.payment_state_diagram(),
            entities=diagrams.entity_diagram(),
        )
        if options["check"]:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                raise CommandError("docs/diagrams.md is out of date; run `make diagrams`.")
            return
        path.write_text(text, encoding="utf-8")
        self.stdout.write(f"Wrote {path.relative_to(settings.BASE_DIR)}")
