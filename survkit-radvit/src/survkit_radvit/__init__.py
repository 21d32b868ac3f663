"""Survival from chest X-rays: a Vision Transformer and radiomics under one multimodal Cox model.

Shi, Li (2026), Radiomics-guided vision transformers for survival analysis, arXiv 2604.21056.
"""

__version__ = "0.1.0"
