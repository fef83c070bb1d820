"""Codes as people type them."""

import pytest

from clinicdesk.rules.one_time_codes import is_authenticator_code, plain_code


@pytest.mark.parametrize("typed", ["3zqe-01fz-2pvh-2f89", " 3ZQE OIFZ 2PVH 2F89 ", "3zqeolfz2pvh2f89", "3zqe–01fz–2pvh–2f89"])
def test_one_code_however_it_is_typed(typed: str) -> None:
    assert plain_code(typed) == "3zqe01fz2pvh2f89"


@pytest.mark.parametrize(("typed", "whole"), [("123456", True), ("123 456", True), ("123-456", True), ("12345", False), ("1234567", False),
                                              ("12345a", False), ("١٢٣٤٥٦", False), ("", False)])
def test_six_digits_are_a_whole_code(typed: str, whole: bool) -> None:
    assert is_authenticator_code(typed) is whole
