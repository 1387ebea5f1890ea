#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds reports against docs/report.schema.json. Stricter than the schema, a
field that it does not name is an error here: it is missing in the documents.

usage: report-schema.py SCHEMA REPORT.json...
"""

import json
import sys

from jsonschema import Draft7Validator


def close(node):
    """Lets no object have more than its schema names."""
    if isinstance(node, dict):
        if "properties" in node and isinstance(node["properties"], dict):
            node["additionalProperties"] = False
        for value in node.values():
            close(value)
    elif isinstance(node, list):
        for value in node:
            close(value)


def load(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def main():
    schema = load(sys.argv[1])
    Draft7Validator.check_schema(schema)
    close(schema)
    validator = Draft7Validator(schema)
    failed = 0
    for path in sys.argv[2:]:
        for error in validator.iter_errors(load(path)):
            where = "/".join(str(step) for step in error.absolute_path)
            print(f"{path}: {where}: {error.message[:300]}")
            failed = 1
    if not failed:
        print(f"{len(sys.argv) - 2} reports are as the schema says")
    return failed


sys.exit(main())
