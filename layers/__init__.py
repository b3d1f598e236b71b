"""The shared map: layer definitions, tables, catalogue, import and export, tiles."""
