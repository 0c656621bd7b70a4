"""The interface for programs on other machines: ZeroMQ and msgpack, described in docs/protocol.md."""

from __future__ import annotations

from cti.api.dispatch import find, invoke
from cti.api.grant import Grant, Role
from cti.api.keyring import KeyRing
from cti.api.limits import Limits
from cti.api.method import Method, Subject
from cti.api.methods import METHODS
from cti.api.refusal import ErrorRecord, Refused, error_record
from cti.api.requests import Done
from cti.api.role import DefinedRole
from cti.api.server import ApiServer
from cti.api.service import Service

__all__ = [
    "METHODS",
    "ApiServer",
    "DefinedRole",
    "Done",
    "ErrorRecord",
    "Grant",
    "KeyRing",
    "Limits",
    "Method",
    "Refused",
    "Role",
    "Service",
    "Subject",
    "error_record",
    "find",
    "invoke",
]
