"""The commands: one file each, found by its name, imported only when it is the one that runs.

A command file has

- `HELP`: one line; `EXAMPLE`: what a person would type, shown under its help;
- `add_args(parser)` and `run(args, settings) -> int`, which parse, call and print, nothing more;
- `NEEDS_DATABASE = False` if it does not use the database, or starts it itself. Otherwise `webmap.cli`
  has the database running and at the newest migration around `run`;
- `PASSES_ON = True` if its arguments are another program's; they arrive as the list `args.rest`.
"""
