"""Showing a flock: in a window, in the terminal, as a film."""
