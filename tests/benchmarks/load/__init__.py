"""What the pages of the site cost, beside a bare Django page under the same server."""
