"""An insurer's hotline: a whole service on `cti`. See README.md."""
