"""What a person or a test may do to the sandbox, under /_sandbox."""
