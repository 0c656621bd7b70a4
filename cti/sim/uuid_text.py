"""Random UUIDs as FreeSWITCH spells them."""

from __future__ import annotations

# The digit that says "variant 1", from the random digit in its place.
_VARIANT = {digit: "89ab"[number % 4] for number, digit in enumerate("0123456789abcdef")}


def uuid_text(number: int) -> str:
    """The UUID of version 4 that 128 random bits make."""
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{_VARIANT[text[16]]}{text[17:20]}-{text[20:]}"
