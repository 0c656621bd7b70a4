"""Look-ups: what a script asks of a CRM or a database, with a deadline, a bounded pool, a cache and a declared fallback."""

from cti.lookup.figures import LookupFigures
from cti.lookup.http_lookup import HttpLookup
from cti.lookup.lookup import Lookup
from cti.lookup.sql_lookup import SqlLookup

__all__ = ["HttpLookup", "Lookup", "LookupFigures", "SqlLookup"]
