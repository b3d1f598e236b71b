"""Work without a network: layers out as a GeoPackage with versions, the changes back in, merged."""
