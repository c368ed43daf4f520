"""`wephone COMMAND ...`: finds the command's module and runs it.

A module of this package offers `register(subparsers)`: it adds its parser and sets its default `run`, a
function of the parsed arguments that returns an exit code. Exit codes: 0 done, 1 refused or failed with a
reason on stderr, 2 wrong usage or not built yet.
"""

import argparse
import difflib
import gc
import importlib
import importlib.util
import os
import sys
from collections.abc import Collection, Sequence

from wephone.cli import garbage
from wephone.cli.output import Failure, say

# Command -> what it does. A command's module has its name; `wephone --help` loads none of them.
COMMANDS = {
    "serve": "run the server",
    "demo": "show a call from end to end, heard and scored, and a refused one",
    "call": "call a user or a telephone number",
    "listen": "wait for calls and texts",
    "message": "write to a user",
    "password": "change one's own password",
    "forward": "say where calls go on to that do not reach one",
    "user": "add, list, disable, reset, export and delete accounts",
    "permit": "keep the operator's telecom permits",
    "audit": "verify, export and reconcile the journal of decisions",
    "explain": "explain one decision",
    "licence": "check the licence engine against a file of cases",
    "trunk": "list the trunks, and find out what is wrong with one",
    "pstn": "switch telephone calls on or off at once",
    "carrier": "run a small carrier to try telephone calls with",
    "backup": "write a consistent copy of the database",
    "restore": "put a copy back",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Its exit code."""
    garbage.spare_what_loads()
    try:
        return carried_out(argv)
    finally:
        gc.freeze()  # the end of the process looks at none of it


def carried_out(argv: Sequence[str] | None) -> int:
    """Find the command and run it. Its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    command = next((argument for argument in arguments if not argument.startswith("-")), None)
    parser = top_parser()
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    if command is not None and command not in COMMANDS:
        parser.error(f"there is no command `{command}`{nearest(command, COMMANDS)}")
    if command is not None and not {"-h", "--help"} & set(arguments[: arguments.index(command)]):
        if not register(command, subparsers):
            say(f"wephone: `{command}` is not built yet")
            return 2
    else:
        for name, summary in COMMANDS.items():
            subparsers.add_parser(name, help=summary)
    return run(parser.parse_args(arguments))


def run(args: argparse.Namespace) -> int:
    """Carry it out; a failure is one sentence on stderr."""
    try:
        code = args.run(args)
        sys.stdout.flush()
    except Failure as failure:
        say(f"wephone: {failure}")
        return 1
    except KeyboardInterrupt:
        say("wephone: interrupted")
        return 1
    except BrokenPipeError:  # whoever read our output has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code if isinstance(code, int) else 0


def nearest(word: str, known: Collection[str]) -> str:
    """What may have been meant, or all there is, as the rest of a sentence."""
    close = difflib.get_close_matches(word, known, n=1)
    return f": did you mean `{close[0]}`?" if close else f": there are {', '.join(known)}"


class Parser(argparse.ArgumentParser):
    """A parser, as are those of all commands and actions, that helps whoever mistypes one of a few words."""

    def _check_value(self, action: argparse.Action, value: object) -> None:
        if action.choices is not None and value not in action.choices:
            what = str(action.metavar or action.dest).lower()
            text = f"there is no {what} `{value}`{nearest(str(value), [*map(str, action.choices)])}"
            raise argparse.ArgumentError(None, text)


def top_parser() -> argparse.ArgumentParser:
    """The parser that knows no command yet."""
    parser = Parser(prog="wephone", description="A self-hosted calling service.")
    parser.add_argument("--version", action=Version, nargs=0, help="print the version and exit")
    return parser


class Version(argparse.Action):
    """Looks the version up when it is asked for: the metadata takes 20 ms to read."""

    def __call__(self, parser: argparse.ArgumentParser, *rest: object) -> None:
        from importlib.metadata import version

        print(f"wephone {version('wephone')}")
        parser.exit()


def register(command: str, subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> bool:
    """Let the command's module add its parser; False if there is no such module or it adds none."""
    name = f"wephone.cli.{command}"
    if importlib.util.find_spec(name) is None:
        return False
    importlib.import_module(name).register(subparsers)
    return command in subparsers.choices


if __name__ == "__main__":
    sys.exit(main())
