"""Reads across models, for pages."""
