"""The machine, run. PAYMENT_EXAMPLES: how many lives it leads; PAYMENT_SEED: the same lives again."""

from __future__ import annotations

import os
import random

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.factories import make_cart, make_editor, make_product, make_user
from tests.payments.machine import PaymentMachine

EXAMPLES = int(os.environ.get("PAYMENT_EXAMPLES", "15"))
STEPS = 25


def lead_lives(examples: int) -> None:
    """Raise at the first life that ends wrong, and say how to lead it again."""
    chosen = int(os.environ.get("PAYMENT_SEED") or random.randrange(2**32))
    print(f"Again with: PAYMENT_SEED={chosen} PAYMENT_EXAMPLES={examples}")
    PaymentMachine.buyer, PaymentMachine.staff = make_user(), make_editor()
    PaymentMachine.cart = make_cart(
        PaymentMachine.buyer,
        make_product("One", price_pennies=499),
        make_product("Two", price_pennies=333),
        make_product("Three", price_pennies=1),
    )
    run_state_machine_as_test(
        seed(chosen)(PaymentMachine),
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.django_db
def test_whatever_happens_facts_rights_and_letters_agree() -> None:
    lead_lives(EXAMPLES)
