"""What is found out about the machine: one module a subject, each fact with its source."""
