"""Everyday survival heads: each file holds one, and is imported only when that one is asked for."""
