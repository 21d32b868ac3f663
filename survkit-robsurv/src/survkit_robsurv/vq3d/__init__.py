"""The 3-D VQ-GAN's encoder and decoder without its discriminator, and the encoder around them."""
