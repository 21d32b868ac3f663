"""The training engine: exact gradients over risk sets, cross-validation, and runs that can be
resumed.
"""
