"""The real parts that the tests stand on: how they are found, started and ended."""
