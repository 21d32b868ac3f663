"""The parts of patch-wise fusion of two modalities."""
