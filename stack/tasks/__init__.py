"""What runs: image, task definition, service, its roles, its scaling, and the task that scores tables."""
