"""What the engine reaches, in one table: each bench is a module here with `NAME`, the same as the
file's, and `rows(photos, *, quick)`."""
