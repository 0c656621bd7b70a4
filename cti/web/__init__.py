"""HTTP: the API's methods and events for browsers and programs, webhooks, metrics; described in docs/http.md."""

from __future__ import annotations

from cti.web.accounts import Account, Accounts
from cti.web.limits import WebLimits
from cti.web.metrics import ServerMetrics, api_metrics
from cti.web.server import WebServer
from cti.web.webhook import BadSignature, Webhook, new_secret, signature, verify
from cti.web.webhooks import Webhooks

__all__ = [
    "Account",
    "Accounts",
    "BadSignature",
    "ServerMetrics",
    "WebLimits",
    "WebServer",
    "Webhook",
    "Webhooks",
    "api_metrics",
    "new_secret",
    "signature",
    "verify",
]
