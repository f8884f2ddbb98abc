#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Builds the fuzzers of tests/fuzz and runs them, two at a time; scripts/fuzz calls it.

A line for each target tells how many inputs it ran. An input that broke something stays in
build/test-out/fuzz/; put it into tests/fuzz/corpus/TARGET/ once it is fixed. What a longer run has
found interesting stays in build/fuzz/TARGET/, and the next one goes on from there.
"""
import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(TOP, "build/test-fuzz")
CORPUS = os.path.join(TOP, "tests/fuzz/corpus")
GROWN = os.path.join(TOP, "build/fuzz")
OUT = os.path.join(TOP, "build/test-out/fuzz")

# One input may take so long under sanitizers on a busy machine, and a target that much memory.
SECONDS_AN_INPUT = 60
MEGABYTES = 2048
# Those with a server of many threads, or a key for each client, get fewer inputs.
SLOWER = {"rfb": 2, "spice": 10}
ENVIRONMENT = {
    "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1:handle_abort=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "LC_ALL": "C.UTF-8",
    # A thread that is just ending has its slices where no leak check looks.
    "G_SLICE": "always-malloc",
}


class Broken(Exception):
    """There is nothing to run."""


def has_libfuzzer():
    """Whether clang links a fuzzer."""
    source = ("#include <stddef.h>\n#include <stdint.h>\n"
              "int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n) { return d && n > 9; }\n")
    try:
        return subprocess.run(["clang", "-fsanitize=fuzzer,address", "-x", "c", "-", "-o",
                               "/dev/null"], input=source.encode(), check=False,
                              stderr=subprocess.DEVNULL).returncode == 0
    except FileNotFoundError:
        return False


def folder(*parts):
    path = os.path.join(*parts)
    os.makedirs(path, exist_ok=True)
    return path


def build():
    """Makes all targets; their names."""
    log = os.path.join(folder(GROWN), "build.log")
    os.makedirs(BUILD, exist_ok=True)
    commands = [["make", f"-j{os.cpu_count()}", "fuzz"]]
    if not os.path.exists(os.path.join(BUILD, "Makefile")):
        commands.insert(0, [os.path.join(TOP, "configure"), "CC=clang", "--enable-werror",
                            "--enable-fuzz", "--disable-kmod", "CFLAGS=-O1 -g"])
        if not os.path.exists(os.path.join(TOP, "Makefile.in")):
            commands.insert(0, [os.path.join(TOP, "autogen.sh")])
    with open(log, "wb") as file:
        for command in commands:
            cwd = TOP if command[0].endswith("autogen.sh") else BUILD
            if subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=file,
                              stderr=file, check=False).returncode:
                raise Broken(f"{' '.join(command)}: {os.path.relpath(log)}")
    done = subprocess.run(["make", "-s", "fuzz-list"], cwd=BUILD, check=True, text=True,
                          stdout=subprocess.PIPE)
    return done.stdout.split()


def command_of(target, options):
    """libFuzzer's arguments. New inputs go to the first folder."""
    own = os.path.join(CORPUS, target)
    if options.runs:
        # The same every time: nothing is learned from the runs before.
        grown = os.path.join(GROWN, f"{target}.short")
        shutil.rmtree(grown, ignore_errors=True)
        how = [f"-runs={options.runs // SLOWER.get(target, 1)}", "-seed=1"]
    else:
        grown = os.path.join(GROWN, target)
        how = [f"-max_total_time={round(options.minutes * 60)}"]
    return [os.path.join(BUILD, "tests/fuzz", target), *how, f"-timeout={SECONDS_AN_INPUT}",
            f"-rss_limit_mb={MEGABYTES}", "-close_fd_mask=3", "-print_final_stats=1",
            f"-artifact_prefix={folder(OUT)}/{target}-", folder(grown),
            *([own] if os.path.isdir(own) else [])]


def fuzz(target, options):
    """Runs one; the line that tells of it."""
    begun, path = time.monotonic(), os.path.join(folder(GROWN), f"{target}.log")
    command = command_of(target, options)
    limit = options.minutes * 60 + 10 * SECONDS_AN_INPUT
    with open(path, "wb") as log:
        try:
            code = subprocess.run(command, cwd=folder(OUT), env={**os.environ, **ENVIRONMENT},
                                  stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False,
                                  timeout=limit).returncode
        except subprocess.TimeoutExpired:
            code = "it does not end"
    with open(path, encoding="utf-8", errors="replace") as log:
        text = log.read()
    runs = re.search(r"stat::number_of_executed_units: +(\d+)", text)
    if code or not runs:
        kept = re.search(r"Test unit written to (\S+)", text)
        what = re.search(r"SUMMARY: (.*)|runtime error: (.*)", text)
        return False, (f"FAIL fuzz/{target}: {what.group(0) if what else f'exit code {code}'}"
                       f" ({os.path.relpath(kept.group(1)) if kept else 'no input kept'}, "
                       f"{os.path.relpath(path)})")
    cover = re.findall(r" cov: (\d+) ft: (\d+)", text)
    return True, (f"PASS fuzz/{target} ({time.monotonic() - begun:.1f} s, {runs.group(1)} inputs, "
                  f"{cover[-1][0] if cover else 0} edges)")


def main():
    parser = argparse.ArgumentParser(prog="scripts/fuzz",
                                     description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--minutes", type=float, default=0, metavar="N",
                        help="so long for each target [1]")
    parser.add_argument("--runs", type=int, metavar="N",
                        help="instead so many inputs each, always the same ones")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="so many at a time [2]")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="[all]")
    options = parser.parse_args()
    if options.runs and options.minutes:
        parser.error("--minutes and --runs exclude each other")
    if not options.runs and not options.minutes:
        options.minutes = 1
    if options.minutes < 0 or options.jobs < 1 or (options.runs or 1) < 1:
        parser.error("give positive numbers")
    if not has_libfuzzer():
        print("SKIP fuzz: clang has no libFuzzer (apt-get install clang libclang-rt-14-dev)")
        return 0
    try:
        names = build()
    except Broken as error:
        print(f"FAIL fuzz/build: {error}")
        return 1
    unknown = [name for name in options.targets if name not in names]
    if unknown:
        parser.error(f"no target {unknown[0]} (there are {', '.join(names)})")
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        work = [pool.submit(fuzz, name, options) for name in options.targets or names]
        for each in concurrent.futures.as_completed(work):
            good, line = each.result()
            bad += not good
            print(line, flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
