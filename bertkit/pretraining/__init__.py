"""What stands around `fit()` when an encoder is pre-trained: its size, its knobs, its run, what is watched."""
