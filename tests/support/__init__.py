"""What the tests stand on: databases, mail server, browser, live servers."""
