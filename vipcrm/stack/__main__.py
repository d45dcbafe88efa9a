"""`python -m vipcrm.stack run`, or `… manage COMMAND …`; the Makefile calls it."""

import sys

from vipcrm.stack.places import StackError

USAGE = "Usage: python -m vipcrm.stack run | manage COMMAND …"


def main(arguments: list[str]) -> int:
    """Run the command line; return the exit code."""
    match arguments:
        case ["run"]:
            from vipcrm.stack.supervisor import run

            return run()
        case ["manage", *command]:
            from vipcrm.stack.manage import manage

            return manage(command)
    print(USAGE, file=sys.stderr)
    return 2


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except StackError as error:
        print(f"vipcrm: {error}", file=sys.stderr)
        sys.exit(1)
