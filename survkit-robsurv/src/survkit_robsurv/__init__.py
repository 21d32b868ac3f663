"""Survival from CT and PET: dual vector quantization, patch-wise fusion, cause-specific hazards.

Farooq, Singh, Mishra, Chaudhury (2025), Vector quantization-based multi-modal learning for robust
cancer survival prediction, arXiv 2505.02529.
"""

__version__ = "0.1.0"
