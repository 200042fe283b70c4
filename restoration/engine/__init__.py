"""Pure restoration engine: arrays in, arrays out; no Django, no network, no settings."""
