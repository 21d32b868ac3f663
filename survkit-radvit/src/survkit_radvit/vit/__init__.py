"""A Vision Transformer over one picture, with attention maps, whose patches can be dropped."""
