"""The public pages, the pictures on them, and the pages of those who arrange them."""
