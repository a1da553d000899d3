"""The book's own figures and explorers; no part of the library needs them."""
