"""What holds for every test process."""

import os
import signal
from collections.abc import Iterator

import pytest

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # the matrices are small, the cores few


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C interrupts this process and those it starts, also where a shell in the background
    had it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
