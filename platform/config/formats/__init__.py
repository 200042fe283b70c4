"""Dates and numbers as a language writes them, where Django's own way is not ours."""
