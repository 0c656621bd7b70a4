"""Look-ups by HTTP, with urllib3 in threads."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from cti.errors import ConfigurationError
from cti.lookup.lookup import LARGEST, Lookup, Nonsense, revealed
from cti.script.secret import Secret

if TYPE_CHECKING:
    import urllib3

_PLACE: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


class HttpLookup(Lookup):
    """Asks an HTTP server for JSON.

    ``{name}`` in the URL is filled with the parameter of this name, percent-encoded. By GET the other parameters are the
    query; by POST they are the body, as a JSON object. 404 is "there is none", and so is the JSON ``null``. Any other
    status than 2xx is a failure; redirections are not followed.

    Args:
        url: of the server, such as ``http://crm.example/customers/{number}``.
        method: GET or POST; a Secret can only be posted, since URLs are in everybody's logs.
        headers: sent with every question (``Authorization``, say).
        settings: as of Lookup.

    Raises:
        ConfigurationError: one of them makes no sense, or urllib3 is not installed.
    """

    def __init__(
        self, url: str, *, method: str = "GET", headers: Mapping[str, str] | None = None, **settings: Any
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or not url.isprintable() or " " in url:
            raise ConfigurationError("an HttpLookup's url must be such as http://crm.example/customers/{number}")
        if method not in ("GET", "POST"):
            raise ConfigurationError(f"method is {method!r}; it must be GET or POST")
        if "{" in parts.netloc:
            raise ConfigurationError("an HttpLookup's server is the same for all questions; no {} in its name")
        super().__init__(parts.hostname, **settings)
        self._url, self._method = url, method
        self._places = frozenset(_PLACE.findall(url))
        self._headers = {"Accept": "application/json", **(headers or {})}
        self._http = _pool(self._size, self.deadline_s)

    def _check(self, parameters: Mapping[str, object]) -> None:
        missing = self._places - parameters.keys()
        if missing:
            raise ConfigurationError(f"look-up {self.name}: it needs {', '.join(sorted(missing))}")
        for name, value in parameters.items():
            if isinstance(value, Secret) and (self._method == "GET" or name in self._places):
                raise ConfigurationError(f"look-up {self.name}: {name!r} is secret; post it, outside of the URL")

    def _fetch(self, parameters: Mapping[str, object]) -> Any:
        url = _PLACE.sub(lambda place: quote(str(parameters[place[1]]), safe=""), self._url)
        others = {name: revealed(value) for name, value in parameters.items() if name not in self._places}
        given: dict[str, Any] = {"fields": others} if self._method == "GET" else {"json": others}
        answer = self._http.request(
            self._method, url, headers=self._headers, redirect=False, retries=False, preload_content=False, **given
        )
        try:
            if answer.status == 404:
                return None
            if not 200 <= answer.status < 300:
                raise ConnectionError(f"status {answer.status}")
            body, until = bytearray(), time.monotonic() + 2 * self.deadline_s
            while chunk := answer.read1(LARGEST, decode_content=True):
                body += chunk
                if len(body) > LARGEST:
                    raise Nonsense(f"more than {LARGEST} bytes")
                if time.monotonic() > until:  # each read has a time limit, but there may be many of them
                    raise TimeoutError
        finally:
            answer.close()  # unless it was read to its end, and its connection is in the pool again
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise Nonsense("no JSON") from None


def _pool(size: int, deadline_s: float) -> urllib3.PoolManager:
    try:
        import urllib3  # noqa: PLC0415 - an extra
    except ImportError:
        raise ConfigurationError("an HttpLookup needs urllib3; install cti[lookup]") from None
    return urllib3.PoolManager(num_pools=1, maxsize=size, timeout=urllib3.Timeout(total=2 * deadline_s))
