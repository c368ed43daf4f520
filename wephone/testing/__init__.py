"""The test kit: a pytest plugin with a server, headless peers, permits and a clock under the test's hand."""
