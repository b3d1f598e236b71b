"""Common Alerting Protocol (OASIS CAP 1.0, 1.1, 1.2; ITU-T X.1303bis) as others send it."""
