"""The client: library, softphone, web app and test kit."""
