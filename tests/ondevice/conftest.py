"""Tests that install packages run only when they are asked for."""

import pytest


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes minutes or downloads packages; run with -m slow")


def pytest_runtest_setup(item):
    if item.get_closest_marker("slow") and "slow" not in item.config.option.markexpr:
        pytest.skip("run with -m slow")
