"""Latency sessions: all contenders of a plan timed in one schedule, and the tables made of the samples."""
