"""The machine, run: PAYMENT_EXAMPLES says how many lives it leads (CI asks for more than `make test`)."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.factories import make_cart, make_editor, make_product, make_user
from tests.payments.machine import PaymentMachine

EXAMPLES = int(os.environ.get("PAYMENT_EXAMPLES", "15"))


@pytest.mark.django_db
def test_whatever_happens_facts_rights_and_letters_agree() -> None:
    PaymentMachine.buyer, PaymentMachine.staff = make_user(), make_editor()
    PaymentMachine.cart = make_cart(
        PaymentMachine.buyer,
        make_product("One", price_pennies=499),
        make_product("Two", price_pennies=333),
        make_product("Three", price_pennies=1),
    )

    run_state_machine_as_test(
        PaymentMachine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=25,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
