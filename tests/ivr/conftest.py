from __future__ import annotations

from pathlib import Path

import pytest

from cti.ivr import IvrTree, read_ivr


@pytest.fixture
def tree() -> IvrTree:
    """A hotline: hours, language, menu, policy number, look-up, queues."""
    return read_ivr((Path(__file__).parent / "menu.toml").read_text(encoding="utf-8"))
