"""A codebook: lookup, straight-through gradient, losses, and how it is learnt and kept alive."""
