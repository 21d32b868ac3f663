"""Evaluation of predictions: pure functions of tensors to an Estimate, or to why there is none."""
