"""Support for tests: databases, mail server, browser, live servers."""
