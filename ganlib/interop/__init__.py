"""Interoperability with other frameworks: runs `.keras` files on other Keras backends."""
