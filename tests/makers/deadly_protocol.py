"""A protocol of the evaluator that kills its process."""

PROTOCOL = """\
name: deadly
version: 1
title: An evaluator that kills its process
official: false
evaluators:
  - kind: deadly
    options:
      always: [{always}]
      once: [{once}]
      memory: {memory}
"""
