"""Environments for Python: the arrays, the spaces, and the classes with NumPy alone or for PufferLib."""
