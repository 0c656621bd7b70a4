# ruff: noqa: INP001 - programs, not a package
"""Makes the fuzzer's first inputs from the vectors and the recordings of the tests: one small file a case.

python fuzz/make_corpus.py
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

HERE = Path(__file__).resolve().parent
DATA = HERE.parent / "tests" / "data"
_SMALL = 6_000


def main() -> None:
    """Write ``fuzz/corpus/decoder``."""
    out = HERE / "corpus" / "decoder"
    out.mkdir(parents=True, exist_ok=True)
    for vector in json.loads((DATA / "esl-vectors.json").read_text())["vectors"]:
        if vector["input_b64"] is not None:
            raw = base64.b64decode(vector["input_b64"])
            if len(raw) <= _SMALL:
                (out / vector["name"]).write_bytes(raw)
    for name in ("commands", "heartbeat"):
        rows = [json.loads(line) for line in (DATA / "recordings" / f"{name}.jsonl").read_text().splitlines()[1:]]
        raw = "".join(text for direction, _, text in rows if direction == "<").encode("utf-8", "surrogateescape")
        (out / f"recorded_{name}").write_bytes(raw[:_SMALL])


if __name__ == "__main__":
    main()
