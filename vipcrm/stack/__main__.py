"""`python -m vipcrm.stack run`, `… manage COMMAND …` or `… messages`; the Makefile and the Dockerfile call it."""

import sys

from vipcrm.stack.places import ROOT, StackError

USAGE = "Usage: python -m vipcrm.stack run | manage COMMAND … | messages"


def main(arguments: list[str]) -> int:
    """Run the command line; return the exit code."""
    match arguments:
        case ["run"]:
            from vipcrm.stack.supervisor import run

            return run()
        case ["manage", *command]:
            from vipcrm.stack.manage import manage

            return manage(command)
        case ["messages"]:
            from vipcrm.stack.messages import compile_messages

            print(f"Compiled {compile_messages(ROOT / 'locale')} catalogue(s).")
            return 0
    print(USAGE, file=sys.stderr)
    return 2


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except StackError as error:
        print(f"vipcrm: {error}", file=sys.stderr)
        sys.exit(1)
