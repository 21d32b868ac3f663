"""What makes inputs worse, each as it happens: scanners, patients, registries."""
