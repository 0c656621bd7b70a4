"""Attached data as a client may give it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cti.api.refusal import InvalidParameter, TooLarge
from cti.errors import DataRefused, TooMuchData
from cti.model.attached_data import MOST_BYTES, attached

__all__ = ["MOST_BYTES", "checked"]


def checked(data: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """Check what is to be attached to a call that has ``known`` already; None takes a key away.

    Raises:
        InvalidParameter: a key or a value that cannot be carried; the first one is named.
        TooLarge: it would be more than 16 KiB or 200 keys in all, or is nested more than 8 deep.
    """
    try:
        attached(known, data)
    except DataRefused as error:
        kind = TooLarge if isinstance(error, TooMuchData) else InvalidParameter
        field = f"params.data.{error.path}" if error.path else "params.data"
        raise kind(f"params.data: {error}", field) from error
