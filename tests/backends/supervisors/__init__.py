"""Tests of what keeps processes running; the contract's asserts explain themselves like those of a test module."""

import pytest

pytest.register_assert_rewrite("tests.backends.supervisors.contract")
