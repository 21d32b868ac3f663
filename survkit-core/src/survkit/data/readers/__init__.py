"""One reader per kind of modality: what is there, what it looks like, and one subject of it."""
