"""Small honest peers for tests."""
