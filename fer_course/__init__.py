"""The command `fer-course`: runs, stores, checks, benchmarks and publishes the course."""
