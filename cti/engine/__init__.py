"""Applies facts to the model, asks the router, and says what is wanted."""

from cti.engine.engine import Engine

__all__ = ["Engine"]
