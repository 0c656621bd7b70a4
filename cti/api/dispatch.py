"""From a method's name and parameters to its result: permission, types, the doing. Knows no transport."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cti.api.converter import plain, structured
from cti.api.grant import Grant
from cti.api.method import Method, Subject
from cti.api.methods import METHODS
from cti.api.refusal import NotPermitted, UnknownMethod
from cti.api.service import Service


def find(name: str, also: Mapping[str, Method] | None = None) -> Method:
    """The method of a name, from the table or from ``also``.

    Raises:
        UnknownMethod: there is none; the message names the nearest.
    """
    method = METHODS.get(name) or (also or {}).get(name)
    if method is None:
        raise UnknownMethod(name[:64], [*METHODS, *(also or {})])
    return method


def invoke(service: Service, method: Method, params: Mapping[str, Any]) -> Any:
    """Do what a request asks for, if its maker may; the result is plain maps and lists.

    Raises:
        InvalidParameter: a parameter is missing, unknown or of the wrong type.
        NotPermitted: the role, or the agents and queues of the key, do not allow it.
        CtiError: the centre refuses; nothing was changed.
    """
    permit_role(service.grant, method)
    values = structured(method.params, params)
    _permit_subject(service, method, values)
    return plain(method.call(service, values))


def permit_role(grant: Grant, method: Method) -> None:
    """Raise NotPermitted unless the role may call the method at all, and is not kept to others."""
    if grant.role not in method.roles:
        raise NotPermitted(f"a key with the role {grant.role.value} may not call {method.name}")
    if not grant.may_call(method.name):
        raise NotPermitted(f"the role of {grant.name} in the configuration leaves {method.name} out")


def _permit_subject(service: Service, method: Method, params: Any) -> None:
    grant = service.grant
    if method.subject is Subject.NONE:
        return
    field = method.subject.value
    name = getattr(params, field)
    if method.subject is Subject.AGENT:
        covered = grant.covers_agent(name)
    elif method.subject is Subject.QUEUE:
        covered = grant.covers_queue(name)
    else:
        covered = service.calls.covered_by(grant, name)
    if not covered:
        raise NotPermitted(f"this key does not cover {field} {name!r}", f"params.{field}")
