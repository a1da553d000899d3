"""Figures, explorers, exercises of the book; the library needs none of it."""
