"""One module per source, found by name: each defines `SOURCE`, an `ingest.source.Source`."""
