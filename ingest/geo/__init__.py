"""GeoJSON and GeoRSS feeds of any kind, read by a mapping that the installation writes."""
