"""The windows: pages, feeds, tiles, staff, and the command line."""
