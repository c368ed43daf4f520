"""Measurements. Each prints its ratio against a named reference that ran beside it; none is a test."""
