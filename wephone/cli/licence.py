"""`wephone licence check CASES.json`: the engine, held against a file of cases by anybody."""

import argparse
import sys
from pathlib import Path

from wephone.cli.output import Failure, print_json


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "licence",
        help="check the licence engine against a file of cases",
        description="Checks the licence engine against cases that lawyers and operators can read and write. "
        "Needs no server.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    check = actions.add_parser(
        "check",
        help="decide every case of a file, and compare",
        description="Decides every case of a file and compares the answer with what the case expects.",
        epilog="Exit code 0 if all pass, 1 if any fails or the file cannot be read.",
    )
    check.add_argument("file", metavar="CASES.json", help="the file, or `-` for stdin")
    check.add_argument("--json", action="store_true", help="print one JSON document, last on stdout")
    check.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Decide them, and print each that fails."""
    from licensing.cases import CasesError, check_cases

    name = "stdin" if args.file == "-" else args.file
    try:
        text = sys.stdin.buffer.read() if args.file == "-" else Path(args.file).read_bytes()
        report = check_cases(text)
    except OSError as error:
        raise Failure(f"cannot read `{name}`: {(error.strerror or str(error)).lower()}") from None
    except CasesError as error:
        raise Failure(f"{name}: {error}") from None
    if args.json:
        failures = [{"id": each.id, "differences": list(each.differences)} for each in report.failures]
        print_json({"passed": report.passed, "failed": len(failures), "failures": failures})
    else:
        print(report)
    return 1 if report.failures else 0
