"""消防の出動: dispatches of the fire service, however they come in (pushed, in tables, as notices)."""
