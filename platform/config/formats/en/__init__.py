"""Dates of pages in English."""
