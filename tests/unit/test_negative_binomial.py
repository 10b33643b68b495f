"""Quantiles without `scipy.stats`, beside its own."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scipy.stats import nbinom

from yupana.tasks.forecast import negative_binomial
from yupana.tasks.forecast.model.recalibration import GRID
from yupana.tasks.forecast.quantiles import QUANTILES


@pytest.mark.parametrize("levels", [GRID, QUANTILES])
def test_quantiles_are_those_of_scipy_from_rare_to_thousands(levels: list[float]) -> None:
    draw = np.random.default_rng(1)
    size = np.exp(draw.uniform(-4, 9, (2_000, 1)))
    mean = np.exp(draw.uniform(-20, 9, (2_000, 1)))
    probability = size / (size + mean)
    expected = nbinom.ppf(np.asarray(levels), size, probability)
    counts = negative_binomial.quantiles(levels, size, probability)
    np.testing.assert_array_equal(counts, expected)


def test_no_process_that_forecasts_imports_all_of_scipy_stats() -> None:
    program = """
import sys
import numpy
from yupana.tasks.forecast import negative_binomial
two, half = numpy.array([2.0]), numpy.array([0.5])
print(negative_binomial.quantiles([0.5, 0.9], two, half), "scipy.stats" in sys.modules)
"""
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert process.stdout.split("]")[1].strip() == "False", process.stderr
