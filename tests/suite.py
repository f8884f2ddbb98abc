#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the test_*.py of a folder; prints one line for each test, as it ends.

usage: suite.py [--label LABEL] [--only REGEX] [--limit SECONDS] [--log FILE] FOLDER
"""
import argparse
import os
import re
import signal
import sys
import time
import traceback
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))


class TooLong(BaseException):
    """A test that hangs; not an Exception, so that no test swallows it."""


def name_of(test, label):
    """LABEL/clients/ten_at_once for test_clients.Clients.test_ten_at_once."""
    parts = test.id().split(".")
    if len(parts) < 3:  # a module that could not be loaded, or its setUpModule
        found = re.search(r"test_\w+", test.id())
        return f"{label}/{found.group(0)[5:] if found else test.id()}"
    return f"{label}/{parts[0].removeprefix('test_')}/{parts[-1].removeprefix('test_')}"


class Report(unittest.TestResult):
    """PASS name (seconds), FAIL name: reason, SKIP name: reason."""

    def __init__(self, label, limit, log):
        super().__init__()
        self.label, self.limit, self.log = label, limit, log
        self.begun = time.monotonic()
        self.bad = 0

    def startTest(self, test):
        super().startTest(test)
        self.begun = time.monotonic()
        signal.alarm(self.limit)

    def stopTest(self, test):
        signal.alarm(0)
        super().stopTest(test)

    def addSuccess(self, test):
        seconds = time.monotonic() - self.begun
        print(f"PASS {name_of(test, self.label)} ({seconds:.1f} s)", flush=True)

    def addSubTest(self, test, subtest, err):
        """One that fails fails its test, which then gets no line of its own."""
        if err:
            self.addFailure(test, err)

    def addSkip(self, test, reason):
        print(f"SKIP {name_of(test, self.label)}: {reason}", flush=True)

    def addError(self, test, err):
        self.bad += 1
        name = name_of(test, self.label)
        self.log.write(f"{name}\n{''.join(traceback.format_exception(*err))}\n")
        self.log.flush()
        reason = " ".join(str(err[1]).split())[:300] or err[0].__name__
        if not issubclass(err[0], AssertionError):
            reason = f"{err[0].__name__}: {reason}"
        print(f"FAIL {name}: {reason}", flush=True)

    addFailure = addError


def ring(_number, _frame):
    raise TooLong("it takes too long")


def tests_in(suite):
    for part in suite:
        if isinstance(part, unittest.TestSuite):
            yield from tests_in(part)
        else:
            yield part


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--label")
    parser.add_argument("--only", default="")
    parser.add_argument("--limit", type=int, default=120)
    parser.add_argument("--log", type=argparse.FileType("a"), default=sys.stderr)
    parser.add_argument("folder")
    options = parser.parse_args()
    # A shell's job in the background ignores it, and so would the programs that are tested.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    folder = os.path.abspath(options.folder)
    label = options.label or os.path.basename(folder)
    sys.path.insert(0, HERE)
    sys.path.insert(0, folder)
    found = unittest.TestLoader().discover(folder, top_level_dir=folder)
    chosen = unittest.TestSuite(test for test in tests_in(found)
                                if re.search(options.only, name_of(test, label)))
    report = Report(label, options.limit, options.log)
    signal.signal(signal.SIGALRM, ring)
    try:
        chosen.run(report)
    except TooLong:
        print(f"FAIL {label}: the last test hangs", flush=True)
        return 1
    return 1 if report.bad or not report.testsRun else 0


if __name__ == "__main__":
    sys.exit(main())
