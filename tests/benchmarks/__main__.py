"""Measures invite_app.

python -m tests.benchmarks requests [ROUNDS]       compared with minimal SQLAlchemy code
python -m tests.benchmarks lists [SIZE ...]        a page of a million compared with one of a thousand
python -m tests.benchmarks delivery [COUNT]        compared with plain smtplib

The default is `requests`. Nothing here is part of the test suite: a busy machine fails no test.
"""

import sys
from importlib import import_module

KINDS = ("requests", "lists", "delivery")

if __name__ == "__main__":
    kind, *arguments = sys.argv[1:] or ["requests"]
    if kind not in KINDS:
        sys.exit(__doc__)
    import_module(f"tests.benchmarks.{kind}").main(arguments)
