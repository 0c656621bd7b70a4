"""What a method works on: the centre, in the name of somebody."""

from __future__ import annotations

from attrs import frozen

from cti.api.centre import Centre
from cti.api.grant import Grant
from cti.api.known_calls import KnownCalls
from cti.api.numbering import Numbering


@frozen
class Service:
    """The centre as the holder of one key meets it."""

    centre: Centre
    numbering: Numbering
    calls: KnownCalls
    grant: Grant
