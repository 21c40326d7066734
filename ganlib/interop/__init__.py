"""Other frameworks: `.keras` files on other backends."""
