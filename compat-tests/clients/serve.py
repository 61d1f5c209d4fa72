"""Answers requests of the runner, one line of JSON each, until its input closes."""

import json
import sys
import traceback


class Named(Exception):
    """An error that the client reported by Kafka's name: an observation."""


def reply(request, body):
    sys.stdout.write(json.dumps({"id": request["id"], **body}) + "\n")
    sys.stdout.flush()


def fault(request, error):
    traceback.print_exception(error, file=sys.stderr)
    reply(request, {"fault": f"{type(error).__name__}: {error}"})


def from_hex(value):
    return None if value is None else bytes.fromhex(value)


def to_hex(value):
    return None if value is None else value.hex()
