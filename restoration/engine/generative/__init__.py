"""Steps done by diffusion models: composed into the photograph, never put in its place.

`registry` and `weights` are light; torch is imported by `workshop` and `generation` only, and late.
"""
