"""What surrounds `fit()` when an encoder is pre-trained: its size, its settings, its run, what TensorBoard shows."""
