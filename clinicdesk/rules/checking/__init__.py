"""The rooms of `rules/checks.py`: one module for each kind of check of medicines."""
