"""The doors for programs: each fetches what the asker may see and calls one verb."""
