"""Makes what the engine learns from and is measured on."""
