"""What goes in and comes out, one module for each part of the product."""
