"""The 2-D network that turns every slice into a vector: built, started, frozen, run fast."""
