"""Bytes that a network takes: estimated without running it, measured on CUDA, and of a whole process."""
