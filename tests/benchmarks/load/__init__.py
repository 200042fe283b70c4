"""What the pages of the site cost beside a bare Django page, and what a crowd finds there."""
