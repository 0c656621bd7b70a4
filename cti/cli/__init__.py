"""The `cti` command."""
