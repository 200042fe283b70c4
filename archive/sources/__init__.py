"""Where files come from. One door for all of them: what is there, and its bytes, block by block."""
