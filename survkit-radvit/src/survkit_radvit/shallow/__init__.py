"""Shallow-ViT experiments: does attention under a Cox loss find the tokens that decide the outcome?

One attention layer and a two-layer perceptron on generated tokens whose relevant ones are known.
The paper's own designs and numbers are not available; designs A and B here are this package's,
after the theory of Li, Wang, Liu and Chen (ICLR 2023, arXiv 2302.06015) with the Cox loss in place
of the hinge loss.
"""
