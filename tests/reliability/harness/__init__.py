"""A small Jepsen: clients repeat until they are answered, processes are killed at random under them, the simulated
messenger refuses, breaks and loses answers, and afterwards every accepted event must be accounted for.

`python -m tests.reliability.harness --help` says how to run one.
"""
