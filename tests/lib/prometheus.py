# SPDX-License-Identifier: GPL-2.0-or-later
"""Prometheus's text format 0.0.4, read strictly, with the conventions that promtool checks."""
import collections
import re

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")
SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)\Z")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|\Z)')
TYPES = ("counter", "gauge", "histogram")
# Units are base units, in the plural.
NO_UNITS = re.compile(r"_(ms|us|msec|usec|milliseconds|microseconds|kib|kb|mib|mb|kilobytes|"
                      r"megabytes|percent|second|byte|pixel)(_|\Z)")


class Family:
    """help, type, and samples by (name, sorted labels)."""

    def __init__(self, name, text):
        self.name, self.help, self.type = name, text, None
        self.samples = collections.OrderedDict()


def labels_of(text):
    labels, at = {}, 0
    while at < len(text):
        found = LABEL.match(text, at)
        assert found, f"not a label: {text[at:]}"
        name, value = found.groups()
        assert name not in labels, f"label {name} twice"
        labels[name] = re.sub(r"\\(.)", lambda each: {"n": "\n"}.get(each[1], each[1]), value)
        at = found.end()
    return tuple(sorted(labels.items()))


def owner(name, family):
    """Whether a sample of that name belongs to the family."""
    ends = ("_bucket", "_sum", "_count") if family.type == "histogram" else ("",)
    return name in [family.name + end for end in ends]


def parse(text):
    """Families by name; AssertionError says what is wrong."""
    families, family = collections.OrderedDict(), None
    assert text.endswith("\n"), "the last line has no end"
    for line in text.splitlines():
        if line.startswith("# HELP "):
            _, _, name, words = line.split(" ", 3)
            assert NAME.match(name) and name not in families, f"{name}: begun twice"
            families[name] = family = Family(name, words)
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert family and name == family.name and not family.samples, f"{name}: late TYPE"
            assert kind in TYPES and family.type is None, f"{name}: {kind}"
            family.type = kind
        else:
            found = SAMPLE.match(line)
            assert found, f"not a sample: {line}"
            name, labels, value = found.groups()
            assert family and family.type and owner(name, family), f"{name}: in a strange family"
            key = (name, labels_of(labels or ""))
            assert key not in family.samples, f"{key}: twice"
            family.samples[key] = float(value)
    for family in families.values():
        lint(family)
    return families


def lint(family):
    name = family.name
    assert family.type and family.samples, f"{name}: empty"
    assert family.help.endswith("."), f"{name}: help is no sentence"
    assert not NO_UNITS.search(name), f"{name}: not a base unit"
    assert name.endswith("_total") == (family.type == "counter"), f"{name}: {family.type}"
    if family.type != "histogram":
        assert not re.search(r"_(bucket|sum|count)\Z", name), f"{name}: taken by histograms"
    else:
        lint_histogram(family)
    for key, value in family.samples.items():
        assert family.type == "gauge" or value >= 0, f"{key}: {value}"


def lint_histogram(family):
    buckets = [(dict(labels)["le"], value) for (name, labels), value in family.samples.items()
               if name.endswith("_bucket")]
    bounds = [float(bound) for bound, _ in buckets]
    counts = [value for _, value in buckets]
    assert buckets[-1][0] == "+Inf", f"{family.name}: no +Inf"
    assert bounds == sorted(set(bounds)) and counts == sorted(counts), f"{family.name}: {buckets}"
    assert family.samples[(family.name + "_count", ())] == counts[-1], f"{family.name}: count"
    assert (family.name + "_sum", ()) in family.samples, f"{family.name}: no sum"
