"""Functions that a configuration names as ``module:function``."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from typing import Any, Final

from attrs import frozen

from cti.errors import ConfigurationError, UnknownName
from cti.plan.condition import short

_FORM: Final = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):([A-Za-z_]\w*)")


class UnknownFunction(UnknownName):
    """The module has no function of this name."""

    code = "operation.unknown_function"
    kind = "function"


@frozen
class ScriptReference:
    """A function of a module."""

    module: str
    function: str

    def __str__(self) -> str:
        return f"{self.module}:{self.function}"

    def load(self) -> Callable[..., Any]:
        """The function. Imports its module, which runs it; the thread of the centre must do this.

        Raises:
            ConfigurationError: the module cannot be imported, or has no such function.
        """
        try:
            module = importlib.import_module(self.module)
        except Exception as error:
            raise ConfigurationError(f"{self.module} cannot be imported: {type(error).__name__}: {error}") from error
        found = getattr(module, self.function, None)
        if found is None:
            functions = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
            raise ConfigurationError(f"{self.module}: {UnknownFunction(self.function, functions)}")
        if not callable(found):
            raise ConfigurationError(f"{self} is {short(found)}, which cannot be called")
        made: Callable[..., Any] = found
        return made


def script_reference(value: Any) -> ScriptReference:
    """A reference from its text.

    Raises:
        ConfigurationError: it is not of the form ``module:function``.
    """
    found = _FORM.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ConfigurationError(f"expected 'module:function', such as 'hotline:welcome'; found {short(value)}")
    return ScriptReference(found[1], found[2])
