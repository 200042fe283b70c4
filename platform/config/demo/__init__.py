"""The demonstration museum: real pictures, aged on purpose, worked on by the verbs themselves."""
