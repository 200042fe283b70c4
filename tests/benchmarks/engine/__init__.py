"""What the engine reaches, in one table: each module beside this one has `NAME` and `rows`."""
