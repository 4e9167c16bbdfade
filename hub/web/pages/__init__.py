"""Pages for people, a module each."""
