"""The fuzz target of the ROUTER port runs for a few seconds with the tests; longer by hand, see fuzz/api.py."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FUZZ = Path(__file__).parents[2] / "fuzz"


def test_the_port_stands_what_the_fuzzer_finds_in_a_few_seconds(tmp_path):
    pytest.importorskip("atheris", reason="atheris is not installed: pip install 'cti[fuzz]'")
    if not FUZZ.is_dir():
        pytest.skip("no fuzz/ beside the tests")
    corpus = tmp_path / "corpus"
    shutil.copytree(FUZZ / "corpus" / "api", corpus)
    done = subprocess.run(
        [sys.executable, FUZZ / "api.py", corpus, "-max_total_time=4", "-max_len=2048", "-print_final_stats=1"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    executed = re.search(r"number_of_executed_units: (\d+)", done.stderr)
    assert executed is not None
    assert int(executed[1]) > 500
