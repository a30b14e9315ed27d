"""The equations, one file each; each kind of a config axis maps to exactly one layer.

Written in `keras.ops`, so the same code runs under TensorFlow and JAX.
"""
