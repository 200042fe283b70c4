"""Rounds of faults against real workers, sweepers, a database, a broker and an S3 service."""
